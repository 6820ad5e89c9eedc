const MASK = '***';

/** One character of a password inside a line of JSON: a plain one or an escape that is no white space. */
const CHARACTER = String.raw`(?:[^\s"\\]|\\[^nrt])`;

// Both begin at a fixed text and have bounds, so that a long line costs no more than its length.
const LOGIN = new RegExp(String.raw`(:\/\/[^\s:\/"\\]{0,255}:)${CHARACTER}{1,1024}@`, 'g');
const PARAMETER = new RegExp(String.raw`(password=)(?:[^\s"\\&]|\\[^nrt])+`, 'gi');

/** Masks passwords in the URLs of a line of JSON, which stays a line of JSON. */
export const maskPasswords = (line: string): string =>
  line.replaceAll(LOGIN, `$1${MASK}@`).replaceAll(PARAMETER, `$1${MASK}`);
