import { inspect } from 'node:util';
import type { ClientConfig } from 'pg';
import connectionString from 'pg-connection-string';
import { describeRefusedUrl } from './refused-url.ts';
import { pairAddresses, type ServerAddress } from './server-address.ts';
import { SESSION_TARGETS, type SessionTarget } from './session-target.ts';

/** PostgreSQL cuts longer names without an error (NAMEDATALEN - 1 bytes). */
export const MAX_NAME_BYTES = 63;

const MASK = '***';

/** Replaces the missing host of `postgresql://user@/name?host=/run/postgresql`: `URL` does not parse it without one. */
const NO_HOST = 'no-host.invalid';

/** Raised when a text is no usable database URL. Its message never holds a password. */
export class InvalidDatabaseUrlError extends Error {
  /** The text, without any part that could be a password. */
  readonly shown: string;
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
  /** Hosts and ports as written before the path; empty when a query parameter names the hosts. */
  readonly authority: string;
  /** Never empty. */
  readonly servers: readonly ServerAddress[];
  readonly sessionTarget: SessionTarget;
  /** Null: the URL has no `sslmode`. */
  readonly sslMode: SslMode | null;
  readonly database: string;
  /** The query with its leading `?`, as written; or empty. */
  readonly search: string;
}

/**
 * The address and login of a database. It may name several servers, such as a primary and its standbys. Immutable;
 * every derived URL keeps the query parameters. `JSON.stringify` and `inspect` mask the password. Decision 0012.
 */
export class DatabaseUrl {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Parses `postgresql://`, `postgres://`, and either with a driver (`postgresql+asyncpg://`), which it drops. A URL
   * lists several servers as in libpq: `//a:5432,b:5433/name`, or `?host=a,b&port=5432,5433`.
   *
   * @throws {InvalidDatabaseUrlError}
   */
  static parse(text: string): DatabaseUrl {
    try {
      const url = new DatabaseUrl(parseParts(text));
      assertCertificates(url);
      return url;
    } catch (error) {
      // No cause: an error of `URL` holds the whole text, with the password.
      throw new InvalidDatabaseUrlError(
        describeRefusedUrl(text),
        error instanceof Refusal ? error.message : 'it does not follow the syntax of URLs',
      );
    }
  }

  get database(): string {
    return this.#parts.database;
  }

  /** Empty: `pg` uses its default. */
  get user(): string {
    return new URLSearchParams(this.#parts.search).get('user') ?? this.#parts.user;
  }

  get #password(): string {
    return new URLSearchParams(this.#parts.search).get('password') ?? this.#parts.password;
  }

  /** @throws {InvalidDatabaseUrlError} when PostgreSQL does not allow that name for a database */
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

  /** Holds the password: never log it. */
  toString(): string {
    const { user, password, search } = this.#parts;
    return this.#format(user, encodeURIComponent(password), search);
  }

  /** With passwords masked, for logs and messages. */
  get redacted(): string {
    const { user, password, search } = this.#parts;
    return this.#format(user, password === '' ? '' : MASK, maskPasswords(search));
  }

  /** In the URL's order. A URL and all URLs derived from it return the same object. */
  get servers(): readonly ServerAddress[] {
    return this.#parts.servers;
  }

  /** The query parameter `target_session_attrs`: the kind of server to connect to. */
  get sessionTarget(): SessionTarget {
    return this.#parts.sessionTarget;
  }

  /**
   * The options of `new pg.Client()` for each server, in order, from the parser that `pg` itself uses. There are two
   * for a server where `sslmode` is `prefer` or `allow`: one with TLS and one without. Never log them: they hold the
   * password.
   */
  toClientConfigs(): readonly ClientConfig[] {
    const mode = this.#parts.sslMode;
    // The parser fails on several hosts, so it gets none.
    const { port: _, ...parameters } = connectionString.parse(
      new DatabaseUrl({ ...this.#parts, authority: '' }).toString(),
      { useLibpqCompat: mode !== null && LIBPQ_SSL_MODES.has(mode) },
    );
    // The parser's type does not list every query parameter; `pg` reads them all.
    const common = Object.assign<ClientConfig, object>({}, parameters);
    // The parser leaves reserved characters in a database name encoded.
    common.database = this.#parts.database;
    if (this.user !== '') common.user = this.user;
    if (this.#password !== '') common.password = this.#password;
    return this.#parts.servers.flatMap(({ host, port }) =>
      sslChoices(mode, common.ssl).map((ssl) => ({
        ...common,
        host,
        ...(port !== null && { port }),
        ...(ssl !== undefined && { ssl }),
      })),
    );
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

/** Says why PostgreSQL does not allow this name for a database; null when it does. */
export const databaseNameProblem = (name: string): string | null => {
  if (name === '') return 'it names no database';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `its database name has over ${MAX_NAME_BYTES} bytes`;
  // A URL parser removes the segments `.` and `..` from a path.
  if (name === '.' || name === '..') return 'its database name must be more than dots';
  return CONTROL_CHARACTERS.test(name) ? 'its database name holds control characters' : null;
};

const CONTROL_CHARACTERS = /\p{Cc}/u;

/** Decodes parameter names first: a percent-encoded `password` is one too. */
const maskPasswords = (search: string): string =>
  search.replaceAll(/[^?&]+/g, (parameter) => {
    const name = new URLSearchParams(parameter).keys().next().value ?? '';
    return /password/i.test(name) ? `${name}=${MASK}` : parameter;
  });

/** Its message names the kind of problem and never quotes the refused text. */
class Refusal extends Error {}

/** Reads the certificates once, so that a missing file stops the start and not the first connection. */
const assertCertificates = (url: DatabaseUrl): void => {
  try {
    url.toClientConfigs();
  } catch (error) {
    const isMissing = error instanceof Error && 'path' in error;
    throw new Refusal(
      isMissing
        ? `its certificate ${JSON.stringify(error.path)} cannot be read`
        : 'its sslmode verify-ca needs an sslrootcert',
    );
  }
};

const parseParts = (text: string): Parts => {
  const withoutDriver = /^postgres(?:ql)?(?:\+[a-z0-9_]+)?:\/\/(.*)$/is.exec(text)?.[1];
  if (withoutDriver === undefined) throw new Refusal('it must begin with postgresql://');
  if (/\s/.test(text)) throw new Refusal('it holds white space, which must be written as %20');

  const authority = /^[^/?#]*/.exec(withoutDriver)?.[0] ?? '';
  const rest = withoutDriver.slice(authority.length);
  const login = authority.slice(0, authority.lastIndexOf('@') + 1);
  const [first = '', ...others] = authority.slice(login.length).split(',');
  // libpq allows a login without a host: `postgresql://user@/name`.
  const hostless = authority === login && login !== '' && rest.startsWith('/');
  const url = new URL(`postgresql://${login}${hostless ? NO_HOST : first}${rest}`);
  if (url.hash !== '') throw new Refusal('it holds a "#", which must be written as %23');
  const hosts = hostless ? [] : [url, ...others.map((host) => new URL(`postgresql://${host}`))];

  if (url.searchParams.has('dbname') || url.searchParams.has('database')) {
    throw new Refusal('its database name must stand in the path');
  }
  // This is most likely the end of an unescaped password. Messages would print it as the database's name.
  if (/[/@]/.test(url.pathname.slice(1))) {
    throw new Refusal('its path holds a "/" or "@", which must be written as %2F and %40');
  }
  const parts: Parts = {
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    authority: hosts.map(({ host }) => host).join(','),
    servers: parseServers(hosts, url.searchParams),
    sessionTarget: parseChoice(url.searchParams, 'target_session_attrs', SESSION_TARGETS) ?? 'any',
    sslMode: parseChoice(url.searchParams, 'sslmode', SSL_MODES),
    database: decodeURIComponent(url.pathname.slice(1)),
    search: url.search,
  };
  // The protocol ends the user name at a NUL.
  if (CONTROL_CHARACTERS.test(parts.user)) throw new Refusal('its user name holds control characters');
  const problem = databaseNameProblem(parts.database);
  if (problem !== null) throw new Refusal(problem);
  return parts;
};

/** The query parameters `host` and `port` override those before the path, as in libpq. */
const parseServers = (authority: readonly URL[], parameters: URLSearchParams): readonly ServerAddress[] => {
  const hosts = listIn(parameters, 'host') ?? authority.map(({ hostname }) => withoutBrackets(hostname));
  const ports = listIn(parameters, 'port') ?? authority.map(({ port }) => port);
  const servers = pairAddresses(hosts.length === 0 ? [''] : hosts, ports.length === 0 ? [''] : ports);
  if (typeof servers === 'string') throw new Refusal(servers);
  return servers;
};

const listIn = (parameters: URLSearchParams, name: string): readonly string[] | null => {
  const [value = '', ...more] = parameters.getAll(name);
  if (more.length > 0) throw new Refusal(`it holds the parameter "${name}" twice: several are listed as a,b`);
  return value === '' ? null : value.split(',');
};

const withoutBrackets = (hostname: string): string =>
  decodeURIComponent(hostname).replace(/^\[(.+)\]$/, '$1');

const parseChoice = <Choice extends string>(
  parameters: URLSearchParams,
  name: string,
  choices: readonly Choice[],
): Choice | null => {
  const value = parameters.get(name);
  if (value === null) return null;
  const choice = choices.find((known) => known === value);
  if (choice === undefined) throw new Refusal(`its ${name} must be one of ${choices.join(', ')}`);
  return choice;
};

/** libpq's modes, with libpq's meaning, and `no-verify`, which only the driver knows. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const;
type SslMode = (typeof SSL_MODES)[number];
const LIBPQ_SSL_MODES: ReadonlySet<SslMode> = new Set(['prefer', 'require', 'verify-ca', 'verify-full']);

/** The TLS options to try, in order. The driver itself never falls back. */
const sslChoices = (mode: SslMode | null, parsed: ClientConfig['ssl']): readonly ClientConfig['ssl'][] => {
  if (mode === 'prefer') return [parsed, false];
  if (mode !== 'allow') return [parsed];
  return [false, { ...(typeof parsed === 'object' && parsed), rejectUnauthorized: false }];
};
