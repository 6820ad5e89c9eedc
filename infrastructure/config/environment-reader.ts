import { InvalidDatabaseUrlError } from '../postgres/database-url.ts';
import { takenBy } from './variable.ts';
import { VARIABLES, type NameOf, type VariableName } from './variables.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Messages show this many characters of a value. */
const MAX_SHOWN = 60;

type ChoiceOf<Name extends NameOf<'choice'>> = (typeof VARIABLES)[Name]['choices'][number];

/** Where a value differs from what the table says. */
interface Exception<Value> {
  /** The variable that is read, for a name with `<NAME>` at its end. */
  readonly as?: string;
  readonly fallback?: Value;
}

/**
 * Reads typed values from an environment, as the table `VARIABLES` describes them. An invalid value adds one line to
 * `problems`, with the variable, its value and the accepted values. The reader then returns the default, so that one
 * start reports all problems.
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

  integer(name: NameOf<'integer'>, { as = name, fallback }: Exception<number> = {}): number {
    const variable = VARIABLES[name];
    return this.#read(as, fallback ?? variable.fallback, takenBy(variable), (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= variable.min && value <= variable.max ? value : undefined;
    });
  }

  boolean(name: NameOf<'boolean'>): boolean {
    const variable = VARIABLES[name];
    return this.#read<boolean>(name, variable.fallback, takenBy(variable), (text) =>
      BOOLEANS.get(text.toLowerCase()),
    );
  }

  choice<Name extends NameOf<'choice'>>(name: Name): ChoiceOf<Name> {
    const variable: { readonly choices: readonly ChoiceOf<Name>[]; readonly fallback: ChoiceOf<Name> } =
      VARIABLES[name];
    return this.#read(name, variable.fallback, takenBy(VARIABLES[name]), (text) =>
      variable.choices.find((choice) => choice === text),
    );
  }

  text<Name extends NameOf<'text'>>(
    name: Name,
    accepts: (text: string) => boolean,
  ): string | (typeof VARIABLES)[Name]['fallback'] {
    const { fallback, takes } = VARIABLES[name];
    return this.#read<string | null>(name, fallback, takes, (text) => (accepts(text) ? text : undefined));
  }

  /** Like `text`, but messages show only the length of the value: it may be refused for the credentials in it. */
  address(name: NameOf<'text'>, accepts: (text: string) => boolean): string | null {
    const { fallback, takes } = VARIABLES[name];
    return this.#read<string | null>(
      name,
      fallback,
      takes,
      (text) => (accepts(text) ? text : undefined),
      describeLength,
    );
  }

  /** Like `text`, but messages show only the length of the value. */
  secret(
    name: NameOf<'secret'>,
    parse: (text: string) => string | undefined,
    takes: string = VARIABLES[name].takes,
  ): string | null {
    return this.#read<string | null>(name, null, takes, parse, describeLength);
  }

  /** @param parse throws `InvalidDatabaseUrlError` for a text that it does not accept */
  url<Url>(
    name: NameOf<'url'>,
    parse: (text: string) => Url,
    { as = name }: Exception<never> = {},
  ): Url | null {
    const text = this.#environment[as];
    if (text === undefined) return null;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof InvalidDatabaseUrlError)) throw error;
      this.problems.push(`${as} holds ${error.shown} (${error.problem}); it takes ${VARIABLES[name].takes}`);
      return null;
    }
  }

  /** Reports a required variable that is not set. */
  missing(name: VariableName, takes: string = takenBy(VARIABLES[name])): void {
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

/**
 * Quotes as JSON, so that a value with line breaks stays on one line. Shows nothing of a URL: where in a text that is refused
 * its credentials begin and end, nobody can say.
 */
const describeValue = (text: string): string =>
  URL_BEGINS.test(text)
    ? describeLength(text)
    : JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);

const URL_BEGINS = /:\/|\/\//;

const describeLength = (text: string): string => `a text of ${text.length} characters`;
