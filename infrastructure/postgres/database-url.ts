import { userInfo } from 'node:os';
import { inspect } from 'node:util';
import type { ClientConfig } from 'pg';
import connectionString from 'pg-connection-string';
import type { AuthMethod } from './auth-methods.ts';
import { describeRefusedUrl } from './refused-url.ts';
import type { ServerAddress } from './server-address.ts';
import type { SessionTarget } from './session-target.ts';
import { databaseNameProblem, parseParts, Refusal, type SslMode, type UrlParts } from './url-parts.ts';

const MASK = '***';

/** libpq's defaults for what a URL leaves out. */
const DEFAULT_HOST = 'localhost';
const DEFAULT_PORT = 5432;

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

/**
 * The address and login of a database. It may name several servers, such as a primary and its standbys. Immutable;
 * every derived URL keeps the query parameters. `JSON.stringify` and `inspect` mask the password. Decision 0012.
 */
export class DatabaseUrl {
  readonly #parts: UrlParts;

  private constructor(parts: UrlParts) {
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

  /** Empty: the user of the operating system, as in libpq. */
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

  /** The query parameter `require_auth`: how a server may ask who the client is. Null when the URL does not say. */
  get authMethods(): ReadonlySet<AuthMethod> | null {
    return this.#parts.authMethods;
  }

  /** Whether the URL says nothing about one of libpq's parameters. */
  leavesOpen(parameter: string): boolean {
    const { servers, search } = this.#parts;
    const said = new URLSearchParams(search);
    switch (parameter) {
      case 'host':
        return servers.every(({ host }) => host === '');
      case 'port':
        return servers.some(({ port }) => port === null);
      case 'user':
        return this.user === '';
      case 'password':
        return this.#password === '';
      case 'sslmode':
        return !said.has('sslmode') && !said.has('ssl');
      default:
        return !said.has(parameter);
    }
  }

  /**
   * The options of `new pg.Client()` for each server, in order, from the parser that `pg` itself uses. There are two
   * for a server where `sslmode` is `prefer` or `allow`: one with TLS and one without. Each says all that the driver
   * would otherwise take from the environment, such as PGHOST and PGSSLMODE. Never log them: they hold the password.
   */
  toClientConfigs(): readonly ClientConfig[] {
    const mode = this.#parts.sslMode;
    // The parser fails on several hosts, so it gets none.
    const { port: _, ...parameters } = connectionString.parse(
      new DatabaseUrl({ ...this.#parts, authority: '' }).toString(),
      { useLibpqCompat: mode !== null && LIBPQ_SSL_MODES.has(mode) },
    );
    // The parser's type does not list every query parameter; `pg` reads them all.
    const common = Object.assign<ClientConfig, object>({ sslnegotiation: 'postgres' }, parameters);
    // The parser leaves reserved characters in a database name encoded.
    common.database = this.#parts.database;
    common.user = this.user === '' ? systemUser() : this.user;
    common.password = this.#password;
    return this.#parts.servers.flatMap(({ host, port }) =>
      sslChoices(mode, common.ssl).map((ssl = false) => ({
        ...common,
        host: host === '' ? DEFAULT_HOST : host,
        port: port ?? DEFAULT_PORT,
        ssl,
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

/** Empty where the operating system has no name for it. The server then refuses the login. */
const systemUser = (): string => {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
};

/** Decodes parameter names first: a percent-encoded `password` is one too. */
const maskPasswords = (search: string): string =>
  search.replaceAll(/[^?&]+/g, (parameter) => {
    const name = new URLSearchParams(parameter).keys().next().value ?? '';
    return /password/i.test(name) ? `${name}=${MASK}` : parameter;
  });

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

const LIBPQ_SSL_MODES: ReadonlySet<SslMode> = new Set(['prefer', 'require', 'verify-ca', 'verify-full']);

/** The TLS options to try, in order. The driver itself never falls back. */
const sslChoices = (mode: SslMode | null, parsed: ClientConfig['ssl']): readonly ClientConfig['ssl'][] => {
  if (mode === 'prefer') return [parsed, false];
  if (mode !== 'allow') return [parsed];
  return [false, { ...(typeof parsed === 'object' && parsed), rejectUnauthorized: false }];
};
