import { DatabaseUrl, InvalidDatabaseUrlError } from '../postgres/database-url.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Messages show this many characters of a value. */
const MAX_SHOWN = 60;

/** The longest timeout of PostgreSQL and of Node's timers. */
const MAX_MILLISECONDS = 2_147_483_647;

/**
 * Reads typed values from an environment. An invalid value adds one line to `problems`, with the variable, its value
 * and the accepted values. The reader then returns the default, so that one start reports all problems.
 */
export class EnvironmentReader {
  readonly problems: string[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  has(name: string): boolean {
    return this.#environment[name] !== undefined;
  }

  /** The names of all variables that are set and begin with `prefix`, sorted. */
  namesWith(prefix: string): readonly string[] {
    return Object.keys(this.#environment)
      .filter((name) => name.startsWith(prefix) && name.length > prefix.length && this.has(name))
      .toSorted();
  }

  integer(name: string, fallback: number, range: { min: number; max: number }): number {
    return this.#read(name, fallback, `a whole number from ${range.min} to ${range.max}`, (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= range.min && value <= range.max ? value : undefined;
    });
  }

  milliseconds(name: string, fallback: number): number {
    return this.integer(name, fallback, { min: 1, max: MAX_MILLISECONDS });
  }

  boolean(name: string, fallback: boolean): boolean {
    return this.#read(name, fallback, 'true or false (1 or 0)', (text) => BOOLEANS.get(text.toLowerCase()));
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    return this.#read(name, fallback, `one of ${choices.join(', ')}`, (text) =>
      choices.find((choice) => choice === text),
    );
  }

  text<Fallback extends string | null>(
    name: string,
    fallback: Fallback,
    takes: string,
    accepts: (text: string) => boolean,
  ): string | Fallback {
    return this.#read<string | Fallback>(name, fallback, takes, (text) => (accepts(text) ? text : undefined));
  }

  /** Like `text`, but messages show only the length of the value. */
  secret(name: string, takes: string, parse: (text: string) => string | undefined): string | null {
    return this.#read<string | null>(name, null, takes, parse, describeLength);
  }

  databaseUrl(name: string): DatabaseUrl | null {
    return this.url(name, 'postgresql://user:password@host:5432/database', (text) => DatabaseUrl.parse(text));
  }

  /** @param parse throws `InvalidDatabaseUrlError` for a text that it does not accept */
  url<Url>(name: string, takes: string, parse: (text: string) => Url): Url | null {
    const text = this.#environment[name];
    if (text === undefined) return null;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof InvalidDatabaseUrlError)) throw error;
      this.problems.push(`${name} holds ${error.shown} (${error.problem}); it takes ${takes}`);
      return null;
    }
  }

  /** Reports a required variable that is not set. */
  missing(name: string, takes: string): void {
    this.problems.push(`${name} is not set; it takes ${takes}`);
  }

  /** Reports a value that conflicts with other variables. `held` appears in logs, so it must hold no secret. */
  refuse(name: string, held: string, takes: string): void {
    this.problems.push(`${name} holds ${held}; it takes ${takes}`);
  }

  /** Reports a variable that is set beside others which leave no room for it. Messages do not show its value. */
  conflict(name: string, advice: string): void {
    this.problems.push(`${name} is set; ${advice}, or unset ${name}`);
  }

  #read<Value>(
    name: string,
    fallback: Value,
    takes: string,
    parse: (text: string) => Value | undefined,
    describe: (text: string) => string = describeValue,
  ): Value {
    const text = this.#environment[name];
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value !== undefined) return value;
    this.refuse(name, describe(text), takes);
    return fallback;
  }
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** Quotes as JSON, so that a value with line breaks stays on one line. */
const describeValue = (text: string): string =>
  JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);

const describeLength = (text: string): string => `a text of ${text.length} characters`;
