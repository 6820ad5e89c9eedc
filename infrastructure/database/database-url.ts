import { inspect } from 'node:util';
import type { ClientConfig } from 'pg';
import connectionString from 'pg-connection-string';
import { describeRefusedUrl } from './refused-url.ts';

/** PostgreSQL cuts longer names in silence (NAMEDATALEN - 1). */
export const MAX_NAME_BYTES = 63;

const MASK = '***';

/** Stands in for the host of `postgresql://user@/name?host=/run/postgresql`, which `URL` does not take. */
const NO_HOST = 'no-host.invalid';

/** Raised for a text that is no usable database URL. Its message never holds a password. */
export class InvalidDatabaseUrlError extends Error {
  /** What the text holds, without anything that could be a password. */
  readonly shown: string;
  /** What is wrong with it. */
  readonly problem: string;

  constructor(shown: string, problem: string) {
    super(`${shown} is no usable database URL: ${problem}`);
    this.name = 'InvalidDatabaseUrlError';
    this.shown = shown;
    this.problem = problem;
  }
}

interface Parts {
  readonly user: string;
  readonly password: string;
  /** Host and port as they stand in the URL; empty when a query parameter names the host. */
  readonly authority: string;
  readonly database: string;
  /** With the leading `?`, as written; or empty. */
  readonly search: string;
}

/**
 * Where a database is and how to log in there. Immutable; query parameters survive every derivation. Printed by
 * `JSON.stringify` and `inspect` without its password.
 */
export class DatabaseUrl {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Takes `postgresql://`, `postgres://`, and either with a driver (`postgresql+asyncpg://`), which is dropped.
   *
   * @throws {InvalidDatabaseUrlError}
   */
  static parse(text: string): DatabaseUrl {
    try {
      return new DatabaseUrl(parseParts(text));
    } catch (error) {
      // An error of `URL` carries the whole text, so it is not kept as the cause.
      throw new InvalidDatabaseUrlError(
        describeRefusedUrl(text),
        error instanceof Refusal ? error.message : 'it does not follow the syntax of URLs',
      );
    }
  }

  get database(): string {
    return this.#parts.database;
  }

  /** Empty: whatever `pg` falls back to. */
  get user(): string {
    return new URLSearchParams(this.#parts.search).get('user') ?? this.#parts.user;
  }

  get #password(): string {
    return new URLSearchParams(this.#parts.search).get('password') ?? this.#parts.password;
  }

  /** @throws {InvalidDatabaseUrlError} when no database can have that name */
  withDatabase(name: string): DatabaseUrl {
    const problem = databaseNameProblem(name);
    if (problem !== null) throw new InvalidDatabaseUrlError(JSON.stringify(name), problem);
    return new DatabaseUrl({ ...this.#parts, database: name });
  }

  withCredentials(user: string, password: string): DatabaseUrl {
    const parameters = new URLSearchParams(this.#parts.search);
    if (!parameters.has('user') && !parameters.has('password')) {
      return new DatabaseUrl({ ...this.#parts, user, password });
    }
    parameters.delete('user');
    parameters.delete('password');
    const search = parameters.size === 0 ? '' : `?${parameters.toString()}`;
    return new DatabaseUrl({ ...this.#parts, user, password, search });
  }

  /** With the password: never for a log. */
  toString(): string {
    const { user, password, search } = this.#parts;
    return this.#format(user, encodeURIComponent(password), search);
  }

  /** With passwords masked, for logs and messages. */
  get redacted(): string {
    const { user, password, search } = this.#parts;
    return this.#format(user, password === '' ? '' : MASK, maskPasswords(search));
  }

  /** What `new pg.Client()` takes, read by the parser that `pg` itself uses. Holds the password: never for a log. */
  toClientConfig(): ClientConfig {
    const { port, ...parameters } = connectionString.parse(this.toString());
    // The parser passes query parameters on as they are, and so does `pg`.
    const config = Object.assign<ClientConfig, object>({}, parameters);
    // The parser leaves reserved characters in a database name encoded.
    config.database = this.#parts.database;
    if (this.user !== '') config.user = this.user;
    if (this.#password !== '') config.password = this.#password;
    if (port !== undefined && port !== null && port !== '') config.port = Number(port);
    return config;
  }

  toJSON(): string {
    return this.redacted;
  }

  [inspect.custom](): string {
    return `DatabaseUrl(${this.redacted})`;
  }

  #format(user: string, encodedPassword: string, search: string): string {
    const password = encodedPassword === '' ? '' : `:${encodedPassword}`;
    const login = user === '' && password === '' ? '' : `${encodeURIComponent(user)}${password}@`;
    return `postgresql://${login}${this.#parts.authority}/${encodeURIComponent(this.#parts.database)}${search}`;
  }
}

/** Why no database can have this name, or null. */
export const databaseNameProblem = (name: string): string | null => {
  if (name === '') return 'it names no database';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `its database name has over ${MAX_NAME_BYTES} bytes`;
  // `/.` and `/..` mean something else in a URL.
  if (name === '.' || name === '..') return 'its database name must be more than dots';
  return CONTROL_CHARACTERS.test(name) ? 'its database name holds control characters' : null;
};

const CONTROL_CHARACTERS = /\p{Cc}/u;

/** Also when the name of the parameter is percent-encoded. */
const maskPasswords = (search: string): string =>
  search.replaceAll(/[^?&]+/g, (parameter) => {
    const name = new URLSearchParams(parameter).keys().next().value ?? '';
    return /password/i.test(name) ? `${name}=${MASK}` : parameter;
  });

/** Its message is about the kind of problem only, never the text that has it. */
class Refusal extends Error {}

const SINGLE_HOST = 'it must name a single host';

const parseParts = (text: string): Parts => {
  const withoutDriver = /^postgres(?:ql)?(?:\+[a-z0-9_]+)?:\/\/(.*)$/is.exec(text)?.[1];
  if (withoutDriver === undefined) throw new Refusal('it must begin with postgresql://');
  if (/\s/.test(text)) throw new Refusal('it holds white space, which must be written as %20');

  const authority = /^[^/?#]*/.exec(withoutDriver)?.[0] ?? '';
  if (authority.slice(authority.lastIndexOf('@') + 1).includes(',')) throw new Refusal(SINGLE_HOST);

  // As in libpq: a login without a host is followed by the database name at once.
  const hostless = authority.endsWith('@') && withoutDriver[authority.length] === '/';
  const url = new URL(
    `postgresql://${hostless ? `${authority}${NO_HOST}${withoutDriver.slice(authority.length)}` : withoutDriver}`,
  );
  if (url.hash !== '') throw new Refusal('it holds a "#", which must be written as %23');

  const hosts = [decodeURIComponent(url.hostname), ...url.searchParams.getAll('host')];
  if (hosts.some((host) => host.includes(','))) throw new Refusal(SINGLE_HOST);
  if (url.searchParams.has('dbname') || url.searchParams.has('database')) {
    throw new Refusal('its database name must stand in the path');
  }
  if (url.searchParams.getAll('port').some((port) => !/^\d{1,5}$/.test(port))) {
    throw new Refusal('its port must be a number');
  }
  // Most likely the rest of a password, which would be printed as the name of a database.
  if (/[/@]/.test(url.pathname.slice(1))) {
    throw new Refusal('its path holds a "/" or "@", which must be written as %2F and %40');
  }
  const parts: Parts = {
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    authority: hostless ? '' : url.host,
    database: decodeURIComponent(url.pathname.slice(1)),
    search: url.search,
  };
  // A NUL in a login would end it early in the protocol.
  if (CONTROL_CHARACTERS.test(parts.user)) throw new Refusal('its user name holds control characters');
  const problem = databaseNameProblem(parts.database);
  if (problem !== null) throw new Refusal(problem);
  return parts;
};
