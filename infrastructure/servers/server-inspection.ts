import { randomUUID } from 'node:crypto';
import type {
  Inspection,
  ServerFacts,
  ServerInspection,
  TimedClone,
} from '../../application/ports/databases/server-inspection.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { newDatabaseOptions } from '../postgres/new-database.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import { sqlStateOf } from '../postgres/postgres-errors.ts';
import { identifier } from '../postgres/quoting.ts';
import type { ResultsServer } from './results-server.ts';
import type { ResultsServers } from './results-servers.ts';

const ROUND_TRIPS = 11;
/** `CREATE DATABASE … STRATEGY` came with it. Older servers copy files. */
const FIRST_WITH_STRATEGIES = 150_000;

/** Looks at servers over a connection of its own, outside of the pools. */
export class PgServerInspection implements ServerInspection {
  readonly #servers: ResultsServers;

  constructor(servers: ResultsServers) {
    this.#servers = servers;
  }

  async inspect(serverId: ServerId): Promise<Inspection> {
    const server = this.#servers.of(serverId);
    const login = server.urlFor('postgres').user;
    let connection: PgConnection;
    try {
      connection = await server.connectAsOwner('postgres');
    } catch (error) {
      return { login, facts: null, sqlState: sqlStateOf(error), reason: reasonOf(error) };
    }
    try {
      return await lookAt(server, connection);
    } finally {
      await connection.close();
    }
  }
}

type ServerRow = Omit<
  ServerFacts,
  'login' | 'settings' | 'systemIdentifier' | 'latencyMs' | 'clones' | 'cloneError' | keyof DatabaseFacts
> &
  ServerFacts['login'] &
  ServerFacts['settings'] & { readonly role: string };

const READ_SERVER = `
  select r.rolname as role, r.rolsuper as "isSuperuser", r.rolcreatedb as "mayCreateDatabases", r.rolcreaterole as "mayCreateRoles",
    pg_has_role('pg_signal_backend', 'usage') as "maySignalBackends", nullif(r.rolconnlimit, -1) as "connectionLimit",
    current_setting('server_version') as version, current_setting('server_version_num')::int as "versionNumber",
    current_setting('max_connections')::int as "maxConnections",
    current_setting('superuser_reserved_connections')::int
      + coalesce(current_setting('reserved_connections', true)::int, 0) as "reservedConnections",
    current_setting('wal_level') as "walLevel",
    current_setting('max_replication_slots')::int as "maxReplicationSlots",
    (select count(*)::int from pg_replication_slots) as "usedReplicationSlots",
    current_setting('max_wal_senders')::int as "maxWalSenders",
    (select count(*)::int from pg_stat_replication) as "usedWalSenders"
  from pg_roles r where r.rolname = current_user`;

const lookAt = async (server: ResultsServer, connection: PgConnection): Promise<Inspection> => {
  const [row] = await connection.query<ServerRow>({ text: READ_SERVER, values: [] });
  if (row === undefined) throw new Error('the server does not know the login');
  const { role, isSuperuser, mayCreateDatabases, mayCreateRoles, maySignalBackends, ...others } = row;
  const { connectionLimit, version, versionNumber, ...settings } = others;
  const databases = await lookAtDatabases(server, connection);
  const mayClone = isSuperuser || mayCreateDatabases;
  const facts = {
    login: { isSuperuser, mayCreateDatabases, mayCreateRoles, maySignalBackends, connectionLimit },
    version,
    versionNumber,
    settings,
    ...databases,
    systemIdentifier: await systemIdentifierOf(connection),
    latencyMs: await latencyOf(connection),
    ...(mayClone ? await timeClones(server, connection, versionNumber) : { clones: [], cloneError: null }),
  };
  return { login: role, facts };
};

const systemIdentifierOf = async (connection: PgConnection): Promise<string | null> => {
  try {
    const [row] = await connection.query<{ id: string }>({
      text: 'select system_identifier::text as id from pg_control_system()',
      values: [],
    });
    return row?.id ?? null;
  } catch {
    return null;
  }
};

type DatabaseFacts = Pick<ServerFacts, 'otherEncodings' | 'publicDatabases' | 'temporaryDatabases'>;

const lookAtDatabases = async (
  { names }: ResultsServer,
  connection: PgConnection,
): Promise<DatabaseFacts> => {
  const rows = await connection.query<{ name: string; encoding: string; isPublic: boolean }>({
    text: `select datname as name, pg_encoding_to_char(encoding) as encoding,
             datallowconn and has_database_privilege('public', oid, 'connect') as "isPublic"
           from pg_database order by datname`,
    values: [],
  });
  const kindOf = (name: string): string => names.readInternal(name)?.kind ?? '';
  return {
    otherEncodings: rows.filter(
      ({ name, encoding }) =>
        encoding !== 'UTF8' && (names.organizationIdOf(name) !== null || kindOf(name) !== ''),
    ),
    publicDatabases: rows.filter(({ isPublic }) => isPublic).map(({ name }) => name),
    temporaryDatabases: rows
      .map(({ name }) => name)
      .filter((name) => ['check', 'build'].includes(kindOf(name))),
  };
};

const latencyOf = async (connection: PgConnection): Promise<number> => {
  const times: number[] = [];
  for (let round = 0; round < ROUND_TRIPS; round += 1)
    times.push(await timed(() => connection.query({ text: 'select 1', values: [] })));
  return times.toSorted((one, other) => one - other)[Math.floor(ROUND_TRIPS / 2)] ?? 0;
};

/** Makes empty databases as the service does. Nobody else can come in, and so keep them from being dropped. */
const timeClones = async (
  server: ResultsServer,
  connection: PgConnection,
  versionNumber: number,
): Promise<Pick<ServerFacts, 'clones' | 'cloneError'>> => {
  const strategies = versionNumber < FIRST_WITH_STRATEGIES ? [] : (['WAL_LOG', 'FILE_COPY'] as const);
  const options = newDatabaseOptions(versionNumber);
  const clones: TimedClone[] = [];
  try {
    for (const strategy of strategies) {
      const ms = await timeClone(server, connection, `${options} strategy ${strategy}`);
      clones.push({ strategy, ms });
    }
    if (strategies.length === 0)
      clones.push({ strategy: 'FILE_COPY', ms: await timeClone(server, connection, options) });
    return { clones, cloneError: null };
  } catch (error) {
    return { clones, cloneError: reasonOf(error) };
  }
};

const timeClone = async (
  server: ResultsServer,
  connection: PgConnection,
  options: string,
): Promise<number> => {
  const name = identifier(server.names.check(randomUUID()));
  try {
    return await timed(() =>
      connection.execute(`create database ${name} ${options} allow_connections false`),
    );
  } finally {
    await connection.execute(`drop database if exists ${name}`);
  }
};

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};
