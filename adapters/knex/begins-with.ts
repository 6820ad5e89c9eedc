/** The pattern of `like` for texts that begin with this one, whatever characters it holds. */
export const beginsWith = (text: string): string => `${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
