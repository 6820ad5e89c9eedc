import type { DatabaseServer } from '../../application/ports/databases/database-server.ts';
import { MigrationsMissingError } from '../../application/ports/databases/database-template.ts';
import type { DatabaseTemplate } from '../../application/ports/databases/database-template.ts';
import type { Deployment } from '../../application/ports/databases/deployment.ts';
import type { InstanceLedger } from '../../application/ports/databases/instance-ledger.ts';
import type { ServerLedger } from '../../application/ports/databases/server-ledger.ts';
import type { SpareLedger } from '../../application/ports/databases/spare-ledger.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { ConnectionBudgetExhaustedError } from '../../domain/databases/errors.ts';
import type { DatabaseNames } from '../../domain/databases/database-names.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { OrganizationPolicy } from '../../domain/organizations/organization-policy.ts';
import type { MigrationSource } from '../migrations/migration-source.ts';
import { failUnlessMigrated, Migrator, NOT_MIGRATED } from '../migrations/migrator.ts';
import { CircuitBreaker } from '../pools/circuit-breaker.ts';
import { ConnectionBudget } from '../pools/connection-budget.ts';
import { ConnectionPool } from '../pools/connection-pool.ts';
import { SessionSlots } from '../pools/session-slots.ts';
import { PooledDatabase } from '../pools/pooled-database.ts';
import type { DatabaseUrl } from '../postgres/database-url.ts';
import type { Deadlines, StatementObserver } from '../postgres/connection-options.ts';
import type { PgConnection, SurveyedServer } from '../postgres/pg-connection.ts';
import { sqlStateOf } from '../postgres/postgres-errors.ts';
import type { ResultsUrlTemplate } from '../postgres/results-url-template.ts';
import { openAdministration } from './administration.ts';
import { withDeadline } from '../timing/with-deadline.ts';
import { ClusterCheck } from './cluster-check.ts';
import { ConnectionShare } from './connection-share.ts';
import { ControlConnection } from './control-connection.ts';
import type { KnownClusters } from './known-clusters.ts';
import { OpenSessions } from './open-sessions.ts';
import { OrganizationLogins } from './organization-logins.ts';
import { ResultsTemplate } from './results-template.ts';
import { ServerAdmin } from './server-admin.ts';
import { ServerConnector } from './server-connector.ts';
import { ServerProblems } from './server-problems.ts';

export interface ResultsServerOptions {
  readonly serverId: ServerId;
  readonly urls: ResultsUrlTemplate;
  /** Most connections to results databases there, of all organizations and all processes together. */
  readonly connectionBudget: number;
  /** Null: organizations share the login of the URL. The other secret is there while secrets are rotated. */
  readonly roles: { readonly secret: string; readonly otherSecret: string | null } | null;
  readonly connectTimeoutMs: number;
  /** Most connections of one organization in each process. */
  readonly organizationPool: { readonly size: number; readonly maxOverflow: number };
  /** For the requests of clients; an organization may have others. */
  readonly deadlines: Deadlines;
}

export interface ResultsServerDeps {
  /** This process among those of the deployment. */
  readonly instanceId: string;
  readonly instances: InstanceLedger;
  readonly ledger: Pick<ServerLedger, 'identify' | 'noteTimeline'>;
  readonly clusters: KnownClusters;
  readonly spares: SpareLedger;
  readonly deployment: Deployment;
  readonly migrations: MigrationSource;
  /** Of the server of the metadata database, which each sign of life also tries. */
  readonly metadataBreaker: CircuitBreaker;
  /** Of administrators' sessions; null: nobody looks. */
  readonly adminStatements: StatementObserver | null;
  readonly logger: Logger;
}

/** The control connection asks twice a second: one silence may be an accident. */
export const SERVER_BREAKER = { threshold: 2, minDelayMs: 250, maxDelayMs: 5000 };

/** One clones at a time; the others claim spares meanwhile, or wait for their turn. */
const ADMIN_SESSIONS = 3;
const ADMIN_ACQUIRE_TIMEOUT_MS = 60_000;
/** Far longer than a pool keeps what another one waits for. */
const SLOT_DEADLINE_MS = 60_000;

/**
 * One PostgreSQL server that holds results databases, and all that is per server: connections and their budget, breaker,
 * template, roles, administrators' sessions. Opens nothing before it is used, and closes what it opened. Decision 0028.
 */
export class ResultsServer implements DatabaseServer {
  readonly serverId: ServerId;
  readonly names: DatabaseNames;
  readonly connectionBudget: number;
  readonly template: DatabaseTemplate;
  readonly budget: ConnectionBudget;
  readonly breaker = new CircuitBreaker(SERVER_BREAKER);
  /** For connections outside the pools, such as those of migrations. */
  readonly slots: SessionSlots;
  readonly admin: ServerAdmin;
  /** Null: organizations have no roles. */
  readonly logins: OrganizationLogins | null;
  readonly control: ControlConnection;
  /** This process's part of the budget. */
  readonly share: ConnectionShare;
  /** What is wrong there, although it answers. */
  readonly problems: ServerProblems;
  /** What this process has open there. */
  readonly sessions = new OpenSessions();
  readonly #urls: ResultsUrlTemplate;
  readonly #migrations: MigrationSource;
  readonly #connector: ServerConnector;
  readonly #adminPool: ConnectionPool;
  readonly #administration: PooledDatabase;
  readonly #cluster: ClusterCheck;

  constructor(options: ResultsServerOptions, deps: ResultsServerDeps) {
    const { serverId, urls, roles, connectionBudget } = options;
    this.serverId = serverId;
    this.names = urls.names;
    this.connectionBudget = connectionBudget;
    this.#urls = urls;
    this.#migrations = deps.migrations;
    this.logins =
      roles === null
        ? null
        : new OrganizationLogins({
            ...roles,
            names: this.names,
            connectionLimit: roleConnectionLimit(connectionBudget, options.organizationPool),
          });
    this.problems = new ServerProblems({
      serverId,
      hasRoles: roles !== null,
      logger: deps.logger,
      now: () => performance.now(),
    });
    const cluster = new ClusterCheck({ ...deps, serverId });
    this.#cluster = cluster;
    this.#connector = new ServerConnector({
      ...options,
      ...deps,
      logins: this.logins,
      sessions: this.sessions,
      refusal: () => cluster.refusal,
      // A login does not wait for the administrators' sessions as long as what makes databases does.
      restoreRole: (stamp, password) =>
        withDeadline(
          this.admin.exclusively(`role ${stamp}`, (session) => session.restoreRole(stamp, password)),
          options.connectTimeoutMs,
        ),
      raiseConnectionLimit: (stamp) =>
        withDeadline(
          this.admin.exclusively(`role ${stamp}`, (session) => session.raiseConnectionLimit(stamp)),
          options.connectTimeoutMs,
        ),
      onServerError: (error) => this.problems.noteError(error),
    });
    this.budget = new ConnectionBudget(connectionBudget);
    this.slots = new SessionSlots(this.budget);
    this.#adminPool = adminPool(this, this.#connector, cluster);
    this.#administration = new PooledDatabase(this.#adminPool);
    this.admin = new ServerAdmin(this.#administration, {
      logins: this.logins,
      problems: this.problems,
    });
    this.control = new ControlConnection(async () => {
      const connection = await this.#connector.toPresence();
      cluster.look(connection);
      return connection;
    });
    this.share = new ConnectionShare({
      instanceId: deps.instanceId,
      serverId,
      serverBudget: connectionBudget,
      budget: this.budget,
      ledger: deps.instances,
      control: this.control,
      sessions: this.sessions,
      serverBreaker: this.breaker,
      metadataBreaker: deps.metadataBreaker,
      logger: deps.logger,
    });
    this.template = new ResultsTemplate({
      ...deps,
      serverId,
      admin: this.admin,
      urls,
      groupRole: this.logins?.groupRole ?? null,
      migrate: (databaseName) => this.migrate(databaseName),
      connect: (databaseName) => this.#connector.toServer(databaseName),
    });
  }

  get hasRoles(): boolean {
    return this.logins !== null;
  }

  get isAvailable(): boolean {
    return this.breaker.state === 'closed' && !this.share.isSilent && this.#cluster.refusal === null;
  }

  get refusal(): DatabaseServer['refusal'] {
    return this.problems.refusal;
  }

  get connections(): DatabaseServer['connections'] {
    const { taken, limit, queued } = this.budget;
    return { open: taken, share: limit, waiting: queued };
  }

  get isBusy(): boolean {
    return this.admin.isBusy;
  }

  exclusively: DatabaseServer['exclusively'] = (name, work, deadlineMs) =>
    this.admin.exclusively(name, work, deadlineMs);

  attempt: DatabaseServer['attempt'] = (name, work) => this.admin.attempt(name, work);

  welcome: DatabaseServer['welcome'] = (work) => this.admin.welcome(work);

  /** As the owner of the results databases, on the server itself. */
  urlFor(databaseName: string): DatabaseUrl {
    return this.#urls.ownerUrlFor(databaseName);
  }

  /**
   * Opens a connection that has proved to be in the organization's database.
   *
   * @param named begins the login at once, and ends it when the database has its name
   * @throws {MisplacedDatabaseError}
   */
  connect(placement: Placement, policy: OrganizationPolicy, named?: Promise<void>): Promise<PgConnection> {
    return this.#connector.toOrganization(placement, policy, named);
  }

  /** Opens a connection as the owner of the results databases, outside of the budget. */
  connectAsOwner(databaseName: string): Promise<PgConnection> {
    return this.#connector.toServer(databaseName);
  }

  /**
   * Waits for a slot for a connection outside of the pools. Call what it resolves with after the server has hung up.
   *
   * @throws {DatabaseConnectionError} when the server falls silent meanwhile
   * @throws {ConnectionBudgetExhaustedError} when there is none until the deadline: this process's share may be none at all
   */
  async takeSlot(deadlineMs = SLOT_DEADLINE_MS): Promise<() => void> {
    const taken = this.slots.take();
    const inTime = withDeadline(taken, deadlineMs).catch(() => {
      throw new ConnectionBudgetExhaustedError();
    });
    try {
      return await this.sessions.waitFor(inTime);
    } catch (error) {
      void taken.then((giveBack) => giveBack());
      throw error;
    }
  }

  async migrate(databaseName: string): Promise<number> {
    const run = new Migrator(this.#migrations).latest(this.urlFor(databaseName));
    return (await this.sessions.waitFor(run)).schemaVersion;
  }

  async proveSchema(databaseName: string, schemaVersion: number): Promise<void> {
    const connection = await this.#connector.toServer(databaseName);
    try {
      await connection.execute(failUnlessMigrated(schemaVersion));
    } catch (error) {
      if (sqlStateOf(error) !== NOT_MIGRATED) throw error;
      throw new MigrationsMissingError(`the database "${databaseName}" lacks migrations`, { cause: error });
    } finally {
      await connection.close();
    }
  }

  /** Bytes of the databases that the service's login owns there. Opens none of them. */
  async sumSizes(): Promise<number> {
    const [row] = await this.#administration.query<{ bytes: string }>({
      text: `select coalesce(sum(pg_database_size(oid)), 0)::text as bytes from pg_database
        where pg_has_role(datdba, 'usage')`,
      values: [],
      readOnly: true,
    });
    return Number(row?.bytes ?? 0);
  }

  /** See `PgConnection.survey`. */
  survey(): Promise<readonly SurveyedServer[]> {
    return this.#connector.survey();
  }

  /** Joins the processes that share the server's connections. Resolves after the first sign of life, good or bad. */
  async start(): Promise<void> {
    await this.share.start();
    await this.#cluster.compared;
  }

  closeIdleSince(before: number): void {
    this.#adminPool.closeIdleSince(before);
  }

  /** Gives this process's share back, and closes what is open. The organizations' pools have to be closed before. */
  async close(): Promise<void> {
    await this.share.close();
    await Promise.all([this.#adminPool.close(), this.control.close()]);
  }
}

/** Through a proxy this process may see the end of a connection, and open the next one, before the server does. */
const STILL_ENDING = 3;

/**
 * No role of an organization may take nearly all connections of its server, and none has too few for what one process, or
 * half of the budget, gives its organization.
 */
export const roleConnectionLimit = (
  connectionBudget: number,
  { size, maxOverflow }: ResultsServerOptions['organizationPool'],
): number =>
  Math.min(connectionBudget, Math.max(size + maxOverflow, Math.ceil(connectionBudget / 2))) + STILL_ENDING;

const adminPool = (
  { names, problems, breaker: serverBreaker }: Pick<ResultsServer, 'names' | 'problems' | 'breaker'>,
  connector: ServerConnector,
  cluster: ClusterCheck,
): ConnectionPool =>
  new ConnectionPool({
    databaseName: names.administration,
    connect: async () => {
      const connection = await openAdministration(names.administration, (databaseName) =>
        connector.toServer(databaseName),
      );
      await problems.lookAtRights(connection);
      cluster.look(connection);
      await cluster.compared;
      if (cluster.refusal === null) return connection;
      await connection.close();
      throw cluster.refusal;
    },
    size: ADMIN_SESSIONS,
    maxOverflow: 0,
    acquireTimeoutMs: ADMIN_ACQUIRE_TIMEOUT_MS,
    maxWaiting: Infinity,
    noPlaceError: () => new DatabaseConnectionError('Too many databases are being made at once.'),
    budget: new ConnectionBudget(Infinity),
    serverBreaker,
  });
