import type { ServerId } from '../../domain/databases/server.ts';
import type { Inspection, ServerFacts } from '../ports/databases/server-inspection.ts';

/**
 * - `ok`: it is as the service needs it.
 * - `hint`: the service works without it.
 * - `missing`: the service does not work, or not well, until it is put right.
 */
export type FindingLevel = 'ok' | 'hint' | 'missing';

/** What was found about one thing that the service needs, or would make use of. */
export interface ServerFinding {
  readonly check: string;
  readonly level: FindingLevel;
  readonly message: string;
  /** Statements to paste, as a superuser, that put it right; empty when no SQL can. */
  readonly sql: readonly string[];
}

/** What the configuration asks of a server. */
export interface ServerNeeds {
  /** Whether organizations have roles of their own. */
  readonly hasRoles: boolean;
  readonly connectionBudget: number;
  /** Another recorded server that is the same cluster. */
  readonly sameClusterAs: ServerId | null;
}

/** `DROP DATABASE … WITH (FORCE)` came with it. */
const OLDEST_VERSION = 130_000;
/** The schema `public` is closed to PUBLIC from then on. */
const FIRST_WITH_CLOSED_SCHEMA = 150_000;
/** The service itself connects to it. */
const MAINTENANCE_DATABASE = 'postgres';
/** Of each process, beside the budget: administrators' sessions and the control connection. */
const OTHER_CONNECTIONS = 4;
const SLOW_ROUND_TRIP_MS = 10;

/** Judges one thing; null when it does not matter here. */
type Rule = (facts: ServerFacts, login: string, needs: ServerNeeds) => ServerFinding | null;

/** In the order in which they are best put right. Pure. */
export const judgeInspection = (inspection: Inspection, needs: ServerNeeds): readonly ServerFinding[] => {
  const { login, facts } = inspection;
  if (facts === null) return [unreachable(login, inspection.sqlState, inspection.reason)];
  return RULES.map((rule) => rule(facts, login, needs)).filter((finding) => finding !== null);
};

const ok = (check: string, message: string): ServerFinding => ({ check, level: 'ok', message, sql: [] });
const hint = (check: string, message: string, ...sql: readonly string[]): ServerFinding => ({
  check,
  level: 'hint',
  message,
  sql,
});
const missing = (check: string, message: string, ...sql: readonly string[]): ServerFinding => ({
  check,
  level: 'missing',
  message,
  sql,
});

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A server does not tell a wrong password from a role that there is not. The password has to be filled in. */
const newLogin = (role: string): readonly string[] => [
  `create role ${role} login createdb password 'PASSWORD'; -- unless it exists`,
  `alter role ${role} login password 'PASSWORD';`,
];

/** By SQLSTATE. */
const LOGIN_SQL: Readonly<Record<string, (role: string) => readonly string[]>> = {
  '28P01': newLogin,
  '28000': newLogin,
  '42501': (role) => [`grant connect on database postgres to ${role};`],
  '3D000': () => ['create database postgres;'],
};

const unreachable = (login: string, sqlState: string | null, reason: string): ServerFinding => {
  const sql = LOGIN_SQL[sqlState ?? '']?.(identifier(login)) ?? [];
  const message = `"${login}" cannot log in to the database "postgres": ${reason}`;
  return missing('login', message, ...sql);
};

const login: Rule = ({ latencyMs }, name) => {
  const message = `"${name}" reaches the database "postgres"; a round trip takes ${milliseconds(latencyMs)}`;
  return latencyMs > SLOW_ROUND_TRIP_MS
    ? hint('login', `${message}, and every request waits for some: is the server near enough?`)
    : ok('login', message);
};

const version: Rule = (facts) =>
  facts.versionNumber < OLDEST_VERSION
    ? missing('version', `PostgreSQL ${facts.version}: it has to be 13 or newer`)
    : ok('version', `PostgreSQL ${facts.version}`);

const cluster: Rule = ({ systemIdentifier }, _login, { sameClusterAs }) => {
  if (sameClusterAs !== null)
    return missing('cluster', `it is the same cluster as the server "${sameClusterAs}": one of the two goes`);
  return systemIdentifier === null
    ? hint(
        'cluster',
        'the login may not ask which cluster it is: one cluster under two names would not be noticed',
        'grant execute on function pg_control_system() to public;',
      )
    : ok('cluster', `cluster ${systemIdentifier}, which no other recorded server is`);
};

const createDatabases: Rule = (facts, name) =>
  facts.login.isSuperuser || facts.login.mayCreateDatabases
    ? ok('createdb', `"${name}" may create databases`)
    : missing('createdb', `"${name}" may not create databases`, `alter role ${identifier(name)} createdb;`);

const createRoles: Rule = (facts, name, { hasRoles }) => {
  if (!hasRoles) return null;
  return facts.login.isSuperuser || facts.login.mayCreateRoles
    ? ok('createrole', `"${name}" may create roles`)
    : missing(
        'createrole',
        `"${name}" may not create roles, and DB_ORG_ROLES is on`,
        `alter role ${identifier(name)} createrole;`,
      );
};

const signalBackends: Rule = (facts, name) =>
  facts.login.isSuperuser || facts.login.maySignalBackends
    ? ok('signal', `"${name}" may end the sessions of other roles`)
    : hint(
        'signal',
        `"${name}" may not end the sessions of roles that it did not make: while one is in a database, that cannot be retired, renamed or copied`,
        `grant pg_signal_backend to ${identifier(name)};`,
      );

const connections: Rule = ({ settings, login: { connectionLimit, isSuperuser } }, name, needs) => {
  const { maxConnections, reservedConnections } = settings;
  const needed = needs.connectionBudget + OTHER_CONNECTIONS;
  const reserved = isSuperuser ? 0 : reservedConnections;
  const needsMore = maxConnections - reserved < needed;
  const isLimited = connectionLimit !== null && connectionLimit < needed;
  const message = `a budget of ${needs.connectionBudget}, and ${OTHER_CONNECTIONS} more for each process, of ${maxConnections - reserved}`;
  if (!needsMore && !isLimited) return ok('connections', message);
  const limited = isLimited ? `; "${name}" may have ${connectionLimit}` : '';
  const restart = needsMore ? ', and a restart of the server' : '';
  return missing(
    'connections',
    `${message}${limited}: a smaller DB_CONNECTION_BUDGET, or this${restart}`,
    ...(needsMore ? [`alter system set max_connections = ${roundUp(needed + reserved)};`] : []),
    ...(isLimited ? [`alter role ${identifier(name)} connection limit -1;`] : []),
  );
};

const encoding: Rule = ({ otherEncodings }) => {
  if (otherEncodings.length === 0) return ok('encoding', 'all databases of this service are in UTF8');
  const databases = otherEncodings.map((one) => `"${one.name}" (${one.encoding})`).join(', ');
  return missing(
    'encoding',
    `these databases cannot hold every text: ${databases}; dump each, and restore it into one in UTF8`,
  );
};

const publicDatabases: Rule = (facts, name, { hasRoles }) => {
  if (!hasRoles) return null;
  const open = facts.publicDatabases;
  if (open.length === 0) return ok('public', "an organization's role can connect to its own database alone");
  return hint(
    'public',
    `an organization's role can connect to ${open.map((one) => `"${one}"`).join(', ')}, as everybody can: it sees the` +
      ' names of databases and roles there, and can make temporary tables. Give other users rights of their own first',
    ...open.flatMap((database) => [
      `revoke connect, temporary on database ${identifier(database)} from public;`,
      ...(database === MAINTENANCE_DATABASE && !facts.login.isSuperuser
        ? [`grant connect on database ${identifier(database)} to ${identifier(name)};`]
        : []),
    ]),
  );
};

const publicSchema: Rule = ({ versionNumber, login: { isSuperuser } }, _login, { hasRoles }) =>
  hasRoles && !isSuperuser && versionNumber >= OLDEST_VERSION && versionNumber < FIRST_WITH_CLOSED_SCHEMA
    ? hint(
        'schema',
        `before PostgreSQL 15 everybody may make tables and functions in the schema "public" of a database, an organization's role in its own; only a superuser can forbid that, in each database`,
        'revoke create on schema public from public;',
      )
    : null;

const cloning: Rule = ({ clones, cloneError }) => {
  if (cloneError !== null) return missing('clone', `a database could not be cloned: ${cloneError}`);
  if (clones.length === 0) return null;
  const times = clones.map(({ strategy, ms }) => `${milliseconds(ms)} by ${strategy}`);
  return ok('clone', `an empty database is cloned in ${times.join(', in ')}`);
};

const walLevel: Rule = ({ settings }) =>
  settings.walLevel === 'logical'
    ? ok('wal_level', 'logical')
    : hint(
        'wal_level',
        `${settings.walLevel}: moving databases with little pause needs "logical", and a restart of the server`,
        `alter system set wal_level = 'logical';`,
      );

const replication: Rule = ({ settings }) => {
  const { maxReplicationSlots, usedReplicationSlots, maxWalSenders, usedWalSenders } = settings;
  const slots = maxReplicationSlots - usedReplicationSlots;
  const senders = maxWalSenders - usedWalSenders;
  const message = `${slots} replication slots and ${senders} WAL senders are free`;
  if (slots > 0 && senders > 0) return ok('replication', message);
  return hint(
    'replication',
    `${message}: a move needs one of each, and more of them a restart of the server`,
    ...(slots > 0 ? [] : [`alter system set max_replication_slots = ${maxReplicationSlots + 10};`]),
    ...(senders > 0 ? [] : [`alter system set max_wal_senders = ${maxWalSenders + 10};`]),
  );
};

const temporaryDatabases: Rule = (facts) =>
  facts.temporaryDatabases.length === 0
    ? ok('temporary', 'no check or build has left a database')
    : hint(
        'temporary',
        'unless a check or a build of a template runs now, these databases were left',
        ...facts.temporaryDatabases.map((name) => `drop database ${identifier(name)};`),
      );

const RULES: readonly Rule[] = [
  login,
  version,
  cluster,
  createDatabases,
  createRoles,
  signalBackends,
  connections,
  encoding,
  publicDatabases,
  publicSchema,
  cloning,
  walLevel,
  replication,
  temporaryDatabases,
];

const milliseconds = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;

const roundUp = (count: number): number => Math.ceil(count / 10) * 10;
