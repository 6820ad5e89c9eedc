/**
 * What no stored text may hold: it would change how other text is shown, or forge a line of a log.
 * - `Cc`: control characters, which a terminal obeys. `Zl`, `Zp`: line breaks that are no line feed.
 * - `Cs`: half a character, which PostgreSQL cannot store.
 * - U+061C, U+200E, U+200F, U+202A…U+202E, U+2066…U+2069: text is shown in another order than it is stored in.
 * - U+200B, U+2060, U+FEFF: nobody sees them, so two names look alike.
 *
 * The joiners U+200C and U+200D stay: Persian, Indic scripts and emoji need them.
 */
const HIDDEN = String.raw`\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff`;

/** One line of text that people read: a name, an identifier of another system. */
export const PRINTABLE = new RegExp(`^[^${HIDDEN}]*$`, 'u');

/** Several lines of it, which may be indented by tabs: the message of an engine. */
export const PRINTABLE_LINES = new RegExp(`^(?:[^${HIDDEN}]|[\\t\\n]|\\r\\n)*$`, 'u');

const LINE_BREAKS_AND_HIDDEN = new RegExp(`\\r\\n|[\\t\\n]|[${HIDDEN}]`, 'gu');

/** As `toPrintable`, of several lines. */
export const toPrintableLines = (text: string): string =>
  text.replaceAll(LINE_BREAKS_AND_HIDDEN, (found) => (/^(?:\r\n|[\t\n])$/.test(found) ? found : '\ufffd'));

const EACH_HIDDEN = new RegExp(`[${HIDDEN}]`, 'gu');

/** The text with a mark in place of each character that is not printable. */
export const toPrintable = (text: string): string => text.replaceAll(EACH_HIDDEN, '\ufffd');
