import { toPrintableLines } from '../../domain/printable.ts';

/** What the service stores of an engine's words: at most so many bytes of their end, without characters that it refuses. */
export const storedText = (text: string, maxBytes: number): string =>
  endOf(toPrintableLines(text.replaceAll(/\r\n?/g, '\n')).trimEnd(), maxBytes);

/** The end of a text that has at most so many bytes, from the beginning of a character on. */
const endOf = (text: string, maxBytes: number): string => {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let start = bytes.length - maxBytes;
  while (((bytes[start] ?? 0) & 0b1100_0000) === 0b1000_0000) start += 1;
  return bytes.subarray(start).toString();
};
