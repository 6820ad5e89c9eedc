import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Container } from 'inversify';
import jwt from 'jsonwebtoken';
import { createContainer } from '../../infrastructure/composition/container.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { effectiveSettings } from '../../infrastructure/config/effective-settings.ts';
import { parseConfig } from '../../infrastructure/config/config.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { parseOrganizationId, type OrganizationId } from '../../domain/organizations/organization-id.ts';
import { createApp } from '../../presentation/http/create-app.ts';
import { Administrator, sharedAdministrator } from './administrator.ts';
import { createMetadataDatabase, type Query } from './metadata-database.ts';
import { watchMaking } from './decorate.ts';
import { testServer } from './postgres-server.ts';

type Environment = Readonly<Record<string, string>>;

/**
 * One deployment of the service on the shared test server: a metadata database and a prefix for results databases
 * that no other test has. Processes of it are containers in this process, or real ones that are given `environment`.
 */
export interface Deployment {
  readonly environment: Environment;
  readonly metadataDatabase: string;
  /** The folder of files. It is made with the first one. */
  readonly filesFolder: string;
  /** Name of an organization's database; the prefix is as long as the default one, so ids have 51 characters. */
  databaseName(organizationId: string): string;
  /** One process's worth of the service. Give `settings` to override environment variables. */
  start(settings?: Environment): Container;
  /** An Express app over a started container. */
  app(container: Container): ReturnType<typeof createApp>;
  /** Registers an organization in the metadata database. */
  register(...organizationIds: string[]): Promise<void>;
  /** A bearer token; pass null for no organization. */
  token(
    organizationId: string | null,
    roles: readonly string[],
    claims?: Readonly<Record<string, unknown>>,
  ): string;
  /** As the administrator of the default server or another one, in its `postgres` database or another one. */
  administer<Row>(
    sql: string,
    values?: readonly unknown[],
    databaseName?: string,
    serverName?: string,
  ): Promise<readonly Row[]>;
  /** In the metadata database. */
  metadata<Row>(sql: string, ...values: readonly unknown[]): Promise<readonly Row[]>;
  /**
   * Names of this deployment's databases on the default server or another one, other than the metadata database and the
   * empty one of administrators' sessions; templates and spares included.
   */
  databases(serverName?: string): Promise<readonly string[]>;
  /** Stops every started container, and fails when one leaked a lease or a connection. */
  stop(): Promise<void>;
  /** As `stop`, and drops all databases and roles. */
  dispose(): Promise<void>;
}

const DROPS_PER_LANE = 10;
const MOST_LANES = 20;

/** Longer than a soak. */
const TOKEN_LIFETIME_SECONDS = 6 * 3600;

export const TEST_JWT_SECRET = 'a secret for tests that is long enough';

export const organizationId = (value: string): OrganizationId => parseOrganizationId(value, 51);

export interface DeploymentServers {
  /** The server of the metadata database and of the results server `default`; the shared test server by default. */
  readonly url?: string;
  /** Further results servers by their names. They belong to the test: what is left on them is not dropped. */
  readonly servers?: Readonly<Record<string, string>>;
}

/** Ask in a `before` hook with a timeout of a minute: the first one starts the server. */
export const createDeployment = async (
  settings: Environment = {},
  { url, servers = {} }: DeploymentServers = {},
): Promise<Deployment> => {
  const server = DatabaseUrl.parse(url ?? (await testServer()).url);
  const prefix = `t${randomBytes(4).toString('hex')}_`;
  const metadataUrl = server.withDatabase(`${prefix}metadata`);
  const own = new Administrator(['postgres', metadataUrl.database]);
  const onServer = server.withDatabase('postgres');
  const query: Query = (target, sql, values = []) => {
    const isShared = url === undefined && target.toString() === onServer.toString();
    return (isShared ? sharedAdministrator() : own).query(target, sql, values);
  };
  await createMetadataDatabase(metadataUrl, query, { onSharedServer: url === undefined });
  const urls = new Map<string, DatabaseUrl>([['default', server]]);
  for (const [name, other] of Object.entries(servers)) urls.set(name, DatabaseUrl.parse(other));
  const urlOf = (serverName: string): DatabaseUrl => {
    const known = urls.get(serverName);
    if (known === undefined) throw new Error(`the deployment has no server "${serverName}"`);
    return known;
  };

  const filesFolder = join(tmpdir(), `mad-test-files-${prefix}`);
  const environment: Environment = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    PORT: '0',
    DB_DATABASE_URL: metadataUrl.toString(),
    DB_RESULTS_DB_TEMPLATE: server.withDatabase(`${prefix}r_{org_id}`).toString(),
    ...Object.fromEntries(
      Object.keys(servers).map((name) => [
        `DB_RESULTS_DB_TEMPLATE_${name.toUpperCase()}`,
        urlOf(name).withDatabase(`${prefix}r_{org_id}`).toString(),
      ]),
    ),
    DB_SPARES_MIN: '0',
    DB_SPARES_MAX: '0',
    FILES_URL: pathToFileURL(filesFolder).href,
    JWT_SECRET: TEST_JWT_SECRET,
    ...settings,
  };
  const containers: Container[] = [];

  const administer = <Row>(
    sql: string,
    values: readonly unknown[] = [],
    databaseName = 'postgres',
    serverName = 'default',
  ): Promise<readonly Row[]> => query<Row>(urlOf(serverName).withDatabase(databaseName), sql, values);
  const allDatabases = async (serverName = 'default'): Promise<readonly string[]> => {
    const rows = await administer<{ datname: string }>(
      `select datname from pg_database where position($1 in datname) > 0 order by datname`,
      [`${prefix}r`],
      'postgres',
      serverName,
    );
    return rows.map(({ datname }) => datname);
  };
  const databases = async (serverName?: string): Promise<readonly string[]> =>
    (await allDatabases(serverName)).filter((name) => !name.startsWith('admin.'));

  const stop = async (): Promise<void> => {
    const leaks: string[] = [];
    for (const container of containers) {
      const manager = container.get(TOKENS.connectionManager);
      const { leases } = manager.counts();
      if (leases > 0) leaks.push(`${leases} leases`);
      await manager.closeAll();
      const { connections } = manager.counts();
      if (connections > 0) leaks.push(`${connections} connections`);
    }
    await own.close();
    if (leaks.length > 0) throw new Error(`left open at the end of the test: ${leaks.join(', ')}`);
  };
  const dropInTurn = async (names: string[]): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop())
      await administer(`drop database if exists "${name}" with (force)`);
  };
  const dropEverything = async (): Promise<void> => {
    const names = [...(await allDatabases()), metadataUrl.database];
    // A login takes as long as a drop does, and a benchmark may have a thousand databases.
    const lanes = Array.from({ length: Math.min(MOST_LANES, Math.ceil(names.length / DROPS_PER_LANE)) }, () =>
      dropInTurn(names),
    );
    await Promise.all(lanes);
    const roles = await administer<{ rolname: string }>(
      // Those that made others after them.
      'select rolname from pg_roles where position($1 in rolname) > 0 order by rolcreaterole',
      [prefix],
    );
    if (roles.length > 0) await administer(roles.map(({ rolname }) => `drop role "${rolname}"`).join(';'));
  };

  return {
    environment,
    metadataDatabase: metadataUrl.database,
    filesFolder,
    databaseName: (id) => `${prefix}r_${id}`,
    start: (overrides = {}) => {
      const merged = { ...environment, ...overrides };
      const shown = effectiveSettings(merged, () => 'environment');
      const container = watchMaking(createContainer(parseConfig(merged), shown));
      containers.push(container);
      return container;
    },
    app: (container) => createApp(container.get(TOKENS.httpDependencies)),
    register: async (...ids) => {
      await administer(
        'insert into organizations (org_id, name) select id, id from unnest($1::text[]) as id on conflict do nothing',
        [ids],
        metadataUrl.database,
      );
    },
    token: (id, roles, claims = {}) =>
      jwt.sign({ sub: 'user-1', ...(id !== null && { org_id: id }), roles, ...claims }, TEST_JWT_SECRET, {
        issuer: 'mad.local',
        audience: 'mad',
        expiresIn: TOKEN_LIFETIME_SECONDS,
      }),
    administer,
    metadata: (sql, ...values) => administer(sql, values, metadataUrl.database),
    databases,
    stop,
    dispose: async () => {
      try {
        await stop();
      } finally {
        await dropEverything();
        await own.close();
        await rm(filesFolder, { recursive: true, force: true });
      }
    },
  };
};
