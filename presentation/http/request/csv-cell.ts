/**
 * A spreadsheet takes a cell that begins so for a formula, also within quotes; some take the wide forms of these characters
 * for one as well. A number it may have.
 */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;
const NUMBER = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/;

const inertPart = (text: string): string => (FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text);

/** One cell of a table, as RFC 4180 says, which no spreadsheet computes. */
export const csvCell = (text: string | null | undefined): string => {
  if (text === null || text === undefined) return '';
  // Where numbers have a comma, spreadsheets end cells at semicolons.
  const inert = text.split(';').map(inertPart).join(';');
  return NEEDS_QUOTES.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
};
