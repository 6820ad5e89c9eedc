import { parseAuthMethods, type AuthMethod } from './auth-methods.ts';
import { pairAddresses, type ServerAddress } from './server-address.ts';
import { SESSION_TARGETS, type SessionTarget } from './session-target.ts';

/** PostgreSQL cuts longer names without an error (NAMEDATALEN - 1 bytes). */
export const MAX_NAME_BYTES = 63;

/** Replaces the missing host of `postgresql://user@/name?host=/run/postgresql`: `URL` does not parse it without one. */
const NO_HOST = 'no-host.invalid';

/** What a database URL says. */
export interface UrlParts {
  readonly user: string;
  readonly password: string;
  /** Hosts and ports as written before the path; empty when a query parameter names the hosts. */
  readonly authority: string;
  /** Never empty. */
  readonly servers: readonly ServerAddress[];
  readonly sessionTarget: SessionTarget;
  /** Null: the URL has no `sslmode`. */
  readonly sslMode: SslMode | null;
  /** Null: the URL has no `require_auth`. */
  readonly authMethods: ReadonlySet<AuthMethod> | null;
  readonly database: string;
  /** The query with its leading `?`, as written; or empty. */
  readonly search: string;
}

/** libpq's modes, with libpq's meaning, and `no-verify`, which only the driver knows. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** Its message names the kind of problem and never quotes the refused text. */
export class Refusal extends Error {}

/** Says why PostgreSQL does not allow this name for a database; null when it does. */
export const databaseNameProblem = (name: string): string | null => {
  if (name === '') return 'it names no database';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `its database name has over ${MAX_NAME_BYTES} bytes`;
  // A URL parser removes the segments `.` and `..` from a path.
  if (name === '.' || name === '..') return 'its database name must be more than dots';
  return CONTROL_CHARACTERS.test(name) ? 'its database name holds control characters' : null;
};

const CONTROL_CHARACTERS = /\p{Cc}/u;

/** @throws {Refusal} or an error of `URL`, which holds the whole text */
export const parseParts = (text: string): UrlParts => {
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
  const parts: UrlParts = {
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    authority: hosts.map(({ host }) => host).join(','),
    servers: parseServers(hosts, url.searchParams),
    sessionTarget: parseChoice(url.searchParams, 'target_session_attrs', SESSION_TARGETS) ?? 'any',
    sslMode: parseChoice(url.searchParams, 'sslmode', SSL_MODES),
    authMethods: parseRequireAuth(url.searchParams),
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

const parseRequireAuth = (parameters: URLSearchParams): ReadonlySet<AuthMethod> | null => {
  const text = parameters.get('require_auth');
  if (text === null) return null;
  const methods = parseAuthMethods(text);
  if (typeof methods === 'string') throw new Refusal(methods);
  return methods;
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
