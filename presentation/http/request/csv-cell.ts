/**
 * A spreadsheet takes a cell that begins so for a formula, also within quotes; some take the wide forms of these characters
 * for one as well. A number it may have.
 */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;
const NUMBER = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/;

/** One cell of a table, as RFC 4180 says, which no spreadsheet computes. */
export const csvCell = (text: string | null | undefined): string => {
  if (text === null || text === undefined) return '';
  const inert = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
};
