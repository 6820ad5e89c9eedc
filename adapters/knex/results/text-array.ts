/**
 * Words as PostgreSQL writes an array of them. The driver's own arrays would keep a statement from being prepared.
 *
 * @param words without quotes, commas, braces and spaces: UUIDs, or words of this program
 */
export const textArray = (words: readonly string[]): string => `{${words.join(',')}}`;
