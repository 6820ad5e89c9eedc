import { inspect } from 'node:util';
import type { ClientConfig } from 'pg';
import connectionString from 'pg-connection-string';
import { describeRefusedUrl } from './refused-url.ts';
import { pairAddresses, type ServerAddress } from './server-address.ts';
import { SESSION_TARGETS, type SessionTarget } from './session-target.ts';

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
  /** Hosts and ports as they stand in the URL; empty when a query parameter names the hosts. */
  readonly authority: string;
  /** Never empty. */
  readonly servers: readonly ServerAddress[];
  readonly sessionTarget: SessionTarget;
  /** Null: the parameter is not there. */
  readonly sslMode: SslMode | null;
  readonly database: string;
  /** With the leading `?`, as written; or empty. */
  readonly search: string;
}

/**
 * Where a database is and how to log in there. Immutable; query parameters survive every derivation. Printed by
 * `JSON.stringify` and `inspect` without its password. It may name several servers, of which one is the primary.
 */
export class DatabaseUrl {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Takes `postgresql://`, `postgres://`, and either with a driver (`postgresql+asyncpg://`), which is dropped. Several
   * servers are named as for libpq: `//a:5432,b:5433/name`, or `?host=a,b&port=5432,5433`.
   *
   * @throws {InvalidDatabaseUrlError}
   */
  static parse(text: string): DatabaseUrl {
    try {
      const url = new DatabaseUrl(parseParts(text));
      assertCertificates(url);
      return url;
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

  /** In the order in which they are named; the same object for all URLs derived from one. */
  get servers(): readonly ServerAddress[] {
    return this.#parts.servers;
  }

  /** Which of its servers a connection is for: the query parameter `target_session_attrs`. */
  get sessionTarget(): SessionTarget {
    return this.#parts.sessionTarget;
  }

  /**
   * What `new pg.Client()` takes, for each server in its turn, read by the parser that `pg` itself uses; two for each where
   * TLS is a matter of what the server takes (`sslmode=prefer`, `allow`). Holds the password: never for a log.
   */
  toClientConfigs(): readonly ClientConfig[] {
    const mode = this.#parts.sslMode;
    // The servers are known; the parser takes a single one.
    const { port: _, ...parameters } = connectionString.parse(
      new DatabaseUrl({ ...this.#parts, authority: '' }).toString(),
      { useLibpqCompat: mode !== null && LIBPQ_SSL_MODES.has(mode) },
    );
    // The parser passes query parameters on as they are, and so does `pg`.
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

/** Certificates are read for each connection; at the start it is told when they cannot be. */
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
  // As in libpq: a login without a host is followed by the database name at once.
  const hostless = authority === login && login !== '' && rest.startsWith('/');
  const url = new URL(`postgresql://${login}${hostless ? NO_HOST : first}${rest}`);
  if (url.hash !== '') throw new Refusal('it holds a "#", which must be written as %23');
  const hosts = hostless ? [] : [url, ...others.map((host) => new URL(`postgresql://${host}`))];

  if (url.searchParams.has('dbname') || url.searchParams.has('database')) {
    throw new Refusal('its database name must stand in the path');
  }
  // Most likely the rest of a password, which would be printed as the name of a database.
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
  // A NUL in a login would end it early in the protocol.
  if (CONTROL_CHARACTERS.test(parts.user)) throw new Refusal('its user name holds control characters');
  const problem = databaseNameProblem(parts.database);
  if (problem !== null) throw new Refusal(problem);
  return parts;
};

/** Query parameters win over what stands before the path, as in libpq. */
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

/** The driver's own meaning of `no-verify` is kept; those of libpq mean what they mean to `psql`. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const;
type SslMode = (typeof SSL_MODES)[number];
const LIBPQ_SSL_MODES: ReadonlySet<SslMode> = new Set(['prefer', 'require', 'verify-ca', 'verify-full']);

/** What is tried, in this order; the driver itself falls back to nothing. */
const sslChoices = (mode: SslMode | null, parsed: ClientConfig['ssl']): readonly ClientConfig['ssl'][] => {
  if (mode === 'prefer') return [parsed, false];
  if (mode !== 'allow') return [parsed];
  return [false, { ...(typeof parsed === 'object' && parsed), rejectUnauthorized: false }];
};
