import type { InputIssue } from '../validation-error.ts';
import { printedLength } from './printed-length.ts';

/** Every value counts: objects, lists, texts, numbers, true, false and null; names of members do not. */
export const MAX_JSON_VALUES = 50_000;
const MAX_DEPTH = 64;
const FREE_GROWTH = 64 * 1024;
const GROWTH_PER_CHARACTER = 3;
/** How many characters more than the text has the numbers in it may take where they are written without exponents. */
export const maxGrowth = (length: number): number => FREE_GROWTH + GROWTH_PER_CHARACTER * length;

/** Every number of fewer characters, and without an exponent, is exact and finite. */
const MIN_SUSPICIOUS_LENGTH = 16;

export interface JsonInspection {
  /** How many values were counted. */
  readonly values: number;
  /** What must not be stored, with dotted paths; at most the given number. */
  readonly issues: readonly InputIssue[];
  /** The path of the first member whose name its object had before; null: all names differ. */
  readonly duplicate: string | null;
  /** Whether the text has more values or more levels than allowed. Then the rest of it was not looked at. */
  readonly isExcessive: boolean;
}

/**
 * Looks at JSON text once, before anything is built of it. It finds what `JSON.parse` hides or loses: members of the same
 * name, integers that a double cannot hold, numbers that grow when they are stored. It finds what PostgreSQL cannot
 * store: U+0000 and lone surrogates. It stops at too many values or levels. Decision 0034.
 *
 * The text need not be valid JSON: `JSON.parse` refuses it afterwards, and what this says of it means nothing then.
 */
export const inspectJson = (text: string, maxIssues: number): JsonInspection =>
  new Inspector(text, maxIssues).inspect();

/** An object or a list that is open. */
interface Container {
  /** The names so far; null for a list. */
  readonly names: Set<string> | null;
  /** Whether the next text is the name of a member. */
  expectsName: boolean;
  /** The member's name or the index of the value that is being read. */
  position: string | number;
}

class Inspector {
  readonly #text: string;
  readonly #maxIssues: number;
  readonly #maxGrowth: number;
  readonly #open: Container[] = [];
  readonly #issues: InputIssue[] = [];
  #at = 0;
  #values = 0;
  #growth = 0;
  #duplicate: string | null = null;
  #isExcessive = false;
  /** Where the next backslash is, if it was looked up. A text that ends before it has no escapes. */
  #nextBackslash = -1;

  constructor(text: string, maxIssues: number) {
    this.#text = text;
    this.#maxIssues = maxIssues;
    this.#maxGrowth = maxGrowth(text.length);
  }

  inspect(): JsonInspection {
    while (this.#at < this.#text.length && !this.#isExcessive) this.#readToken();
    return {
      values: this.#values,
      issues: this.#issues,
      duplicate: this.#duplicate,
      isExcessive: this.#isExcessive,
    };
  }

  #readToken(): void {
    const code = this.#text.charCodeAt(this.#at);
    switch (code) {
      case QUOTE:
        return this.#readText();
      case OPEN_BRACE:
        return this.#enter({ names: new Set(), expectsName: true, position: '' });
      case OPEN_BRACKET:
        return this.#enter({ names: null, expectsName: false, position: 0 });
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        this.#open.pop();
        break;
      case COMMA:
        this.#moveOn();
        break;
      default:
        if (isOfNumber(code)) return this.#readNumber();
        // One letter of each of true, false and null.
        if (code === LETTER_R || code === LETTER_F || code === LETTER_N) this.#count();
    }
    this.#at += 1;
  }

  #moveOn(): void {
    const container = this.#open.at(-1);
    if (container === undefined) return;
    if (typeof container.position === 'number') container.position += 1;
    else container.expectsName = true;
  }

  #enter(container: Container): void {
    this.#count();
    if (this.#open.length > MAX_DEPTH) {
      this.#report(`must not be nested deeper than ${MAX_DEPTH} levels`);
      this.#isExcessive = true;
      return;
    }
    this.#open.push(container);
    this.#at += 1;
  }

  #count(): void {
    this.#values += 1;
    if (this.#values <= MAX_JSON_VALUES) return;
    this.#issues.push({ path: 'body', message: `must not have more than ${MAX_JSON_VALUES} values` });
    this.#isExcessive = true;
  }

  #readText(): void {
    const start = this.#at + 1;
    const end = this.#endOfText(start);
    this.#at = end + 1;
    const hasEscape = this.#hasBackslash(start, end);
    const container = this.#open.at(-1);
    if (container?.names && container.expectsName) {
      const name = this.#text.slice(start, end);
      this.#readName(container, container.names, hasEscape ? decode(name) : name);
      return;
    }
    this.#count();
    // Characters that cannot be stored have to be written as escapes: in UTF-8 they are no valid JSON.
    if (!hasEscape) return;
    const problem = textProblem(decode(this.#text.slice(start, end)));
    if (problem !== null) this.#report(problem);
  }

  #readName(container: Container, names: Set<string>, name: string): void {
    container.expectsName = false;
    // The path ends at the object: a name that is refused cannot be shown.
    if (name === '__proto__') this.#report('must not have a field "__proto__"', this.#open.length - 1);
    else if (textProblem(name) !== null)
      this.#report('must not have a field name with U+0000 or a lone surrogate', this.#open.length - 1);
    container.position = name;
    const before = names.size;
    names.add(name);
    if (names.size === before) this.#duplicate ??= this.#path(this.#open.length);
  }

  /** The quote that ends the text; the end of everything when there is none. */
  #endOfText(start: number): number {
    for (let from = start; ;) {
      const quote = this.#text.indexOf('"', from);
      if (quote === -1) return this.#text.length;
      let backslashes = 0;
      while (quote - backslashes > from && this.#text.charCodeAt(quote - backslashes - 1) === BACKSLASH)
        backslashes += 1;
      if (backslashes % 2 === 0) return quote;
      from = quote + 1;
    }
  }

  #hasBackslash(start: number, end: number): boolean {
    if (this.#nextBackslash < start) {
      const found = this.#text.indexOf('\\', start);
      this.#nextBackslash = found === -1 ? this.#text.length : found;
    }
    return this.#nextBackslash < end;
  }

  #readNumber(): void {
    const start = this.#at;
    let isInteger = true;
    let hasExponent = false;
    for (; this.#at < this.#text.length; this.#at += 1) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === LETTER_E || code === LETTER_E_UPPER) hasExponent = true;
      else if (code === POINT) isInteger = false;
      else if (!isOfNumber(code)) break;
    }
    this.#count();
    const length = this.#at - start;
    if (length < MIN_SUSPICIOUS_LENGTH && !hasExponent) return;
    const value = Number(this.#text.slice(start, this.#at));
    if (isInteger && !hasExponent && !Number.isSafeInteger(value)) {
      this.#report(
        'must be an integer within ±(2^53 - 1), or a text, or be written with a fraction or an exponent',
      );
    } else if (!Number.isFinite(value)) {
      this.#report('must be a number that a double can hold');
    } else if (hasExponent) {
      this.#grow(printedLength(value) - length);
    }
  }

  #grow(characters: number): void {
    const before = this.#growth;
    this.#growth += characters;
    if (before <= this.#maxGrowth && this.#growth > this.#maxGrowth)
      this.#report(
        'takes, with the numbers before it, too much room when it is written without its exponent',
      );
  }

  /** @param levels how much of the path belongs to it; by default all of it */
  #report(message: string, levels = this.#open.length): void {
    if (this.#issues.length < this.#maxIssues) this.#issues.push({ path: this.#path(levels), message });
  }

  #path(levels: number): string {
    const positions = this.#open.slice(0, levels).map(({ position }) => position);
    return positions.join('.') || 'body';
  }
}

/** The text within the quotes without its escapes; as it is when they are malformed. */
const decode = (escaped: string): string => {
  try {
    return String(JSON.parse(`"${escaped}"`));
  } catch {
    return escaped;
  }
};

const textProblem = (value: string): string | null => {
  if (value.includes('\0')) return 'must not hold the character U+0000';
  return value.isWellFormed() ? null : 'must not hold a lone surrogate';
};

const [QUOTE, BACKSLASH, COMMA, POINT] = [0x22, 0x5c, 0x2c, 0x2e];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];
const [LETTER_E, LETTER_E_UPPER, LETTER_F, LETTER_N, LETTER_R] = [0x65, 0x45, 0x66, 0x6e, 0x72];

/** Digits, `-` and `+`. */
const isOfNumber = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2b;
