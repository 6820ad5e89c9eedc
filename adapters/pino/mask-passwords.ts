const MASK = '***';

/** Matches one character of a password inside JSON: a plain one, or an escape other than white space. */
const CHARACTER = String.raw`(?:[^\s"\\]|\\[^nrt])`;

// Both start at a fixed text and have bounded parts, so that matching takes linear time.
const LOGIN = new RegExp(String.raw`(:\/\/[^\s:\/"\\]{0,255}:)${CHARACTER}{1,1024}@`, 'g');
const PARAMETER = new RegExp(String.raw`(password=)(?:[^\s"\\&]|\\[^nrt])+`, 'gi');

/** Masks passwords in URLs inside a line of JSON. The result is still valid JSON. */
export const maskPasswords = (line: string): string => {
  // Most lines have neither, and to look for one character is cheaper than for a pattern.
  const withoutLogins = line.includes('@') ? line.replaceAll(LOGIN, `$1${MASK}@`) : line;
  return withoutLogins.includes('=') ? withoutLogins.replaceAll(PARAMETER, `$1${MASK}`) : withoutLogins;
};
