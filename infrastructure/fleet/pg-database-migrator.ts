import type {
  DatabaseMigrator,
  MigrationOutcome,
  MigrationTarget,
} from '../../application/ports/fleet/database-migrator.ts';
import type { Knex } from 'knex';
import type { Deployment } from '../../application/ports/databases/deployment.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import { literal } from '../postgres/quoting.ts';
import { ConnectionBudgetExhaustedError } from '../../domain/databases/errors.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { isDriverError, isServerFailure } from '../postgres/postgres-errors.ts';
import type { ResultsServer } from '../servers/results-server.ts';
import type { ResultsServers } from '../servers/results-servers.ts';
import type { MigrationModule, MigrationSource } from '../migrations/migration-source.ts';
import { stepsBetween } from '../migrations/migration-steps.ts';
import { HISTORY_TABLE } from '../migrations/migrator.ts';
import { once } from '../timing/once.ts';
import { isIdentity } from '../../domain/databases/database-identity.ts';
import { fixedSqlOf } from './fixed-sql.ts';
import { LockObserver, type TableLock } from './lock-observer.ts';
import { explainFailure } from './migration-failure.ts';
import { MigrationSession, type DatabaseFacts, type MigrationTimeouts } from './migration-session.ts';
import { SingleConnectionKnex } from '../migrations/single-connection-knex.ts';

export interface DatabaseMigratorDeps {
  /** Of its connections. */
  readonly applicationName: string;
  readonly migrations: MigrationSource;
  readonly servers: Pick<ResultsServers, 'of'>;
  readonly deployment: Deployment;
  readonly timeouts: MigrationTimeouts;
}

interface ReleasedMigration {
  readonly module: MigrationModule;
  /** The text it sends, where that is known beforehand. */
  readonly up: string | null;
  readonly down: string | null;
}

/** The release's migrations by name, in their order. */
type Release = ReadonlyMap<string, ReleasedMigration>;

/** How far an attempt has come, also when it then fails. */
interface Attempt {
  version: number | null;
  readonly applied: string[];
  during: string | null;
  /** Looks on, where somebody wants to know. */
  readonly observer: LockObserver | null;
}

export interface ObservedMigrator {
  /** As `migrate`; also says which locks it took on tables that were there before, the strongest of each. */
  migrateObserved(
    target: MigrationTarget,
  ): Promise<{ outcome: MigrationOutcome; locks: readonly TableLock[] }>;
}

/** Migrates results databases over connections of its own, outside the pools. */
export class PgDatabaseMigrator implements DatabaseMigrator, ObservedMigrator {
  readonly #deps: DatabaseMigratorDeps;
  /** Those nobody uses at the moment. */
  readonly #knexes: SingleConnectionKnex[] = [];
  readonly #release = once(() => this.#load());

  constructor(deps: DatabaseMigratorDeps) {
    this.#deps = deps;
  }

  async newestVersion(): Promise<number> {
    return (await this.#release()).size;
  }

  migrate(target: MigrationTarget): Promise<MigrationOutcome> {
    return this.#attempt(target, null);
  }

  async migrateObserved(
    target: MigrationTarget,
  ): Promise<{ outcome: MigrationOutcome; locks: readonly TableLock[] }> {
    const observer = new LockObserver();
    const outcome = await this.#attempt(target, observer);
    return { outcome, locks: observer.locks };
  }

  async #attempt(target: MigrationTarget, observer: LockObserver | null): Promise<MigrationOutcome> {
    const attempt: Attempt = { version: null, applied: [], during: null, observer };
    try {
      const server = this.#deps.servers.of(target.serverId);
      if (!server.isAvailable) throw new DatabaseConnectionError('The server does not answer.');
      // Its connection counts against the budget of the server.
      const giveBack = await server.takeSlot();
      try {
        return await this.#connect(server, target, attempt);
      } finally {
        giveBack();
      }
    } catch (error) {
      const { kind, reason } = this.#isAway(target, attempt, error)
        ? { kind: 'away' as const, reason: whyAway(target, error) }
        : explainFailure(error, attempt.during);
      return { kind, reason, schemaVersion: attempt.version, applied: attempt.applied };
    }
  }

  #isAway({ serverId }: MigrationTarget, { version }: Attempt, error: unknown): boolean {
    if (error instanceof DatabaseConnectionError || error instanceof ConnectionBudgetExhaustedError)
      return true;
    // Of the connect; later it may be this session alone that was ended.
    if (version === null && isServerFailure(error)) return true;
    // A connection that was cut.
    return isDriverError(error) && !this.#deps.servers.of(serverId).isAvailable;
  }

  async #connect(
    server: ResultsServer,
    target: MigrationTarget,
    attempt: Attempt,
  ): Promise<MigrationOutcome> {
    const url = server.urlFor(target.databaseName);
    const session = await MigrationSession.open(url, this.#deps.applicationName, this.#deps.timeouts);
    const forget = server.sessions.add(session.connection);
    try {
      const facts = await session.begin();
      const identity = { ...target, deploymentId: await this.#deps.deployment.id() };
      if (!isIdentity(facts.identity, identity)) {
        const reason = `the database carries another stamp than the ledger (${facts.identity ?? 'none'})`;
        return { kind: 'failed', reason, schemaVersion: null, applied: [] };
      }
      if (!facts.locked) {
        const reason = 'another migration of this database is under way';
        return { kind: 'deferred', reason, schemaVersion: null, applied: [] };
      }
      await this.#move(session, facts, target.toVersion, attempt);
      return { kind: 'done', reason: null, schemaVersion: attempt.version, applied: attempt.applied };
    } finally {
      forget();
      await session.close();
    }
  }

  async #move(
    session: MigrationSession,
    { applied }: DatabaseFacts,
    toVersion: number,
    attempt: Attempt,
  ): Promise<void> {
    const release = await this.#release();
    const steps = stepsBetween([...release.keys()], applied, toVersion);
    attempt.version = applied.length;
    const batch = Math.max(0, ...applied.map((row) => row.batch)) + 1;
    for (const name of steps.up) {
      const record = `insert into ${HISTORY_TABLE} (name, batch, migration_time) values (${literal(name)}, ${batch}, now())`;
      await this.#step(session.connection, release.get(name), 'up', name, record, attempt);
      attempt.version = (attempt.version ?? 0) + 1;
    }
    for (const name of steps.down) {
      const record = `delete from ${HISTORY_TABLE} where name = ${literal(name)}`;
      await this.#step(session.connection, release.get(name), 'down', name, record, attempt);
      attempt.version = (attempt.version ?? 0) - 1;
    }
  }

  /** One migration with its entry in the history: both or neither, unless it takes no transaction. */
  async #step(
    connection: PgConnection,
    migration: ReleasedMigration | undefined,
    direction: 'up' | 'down',
    name: string,
    record: string,
    attempt: Attempt,
  ): Promise<void> {
    attempt.during = name;
    const run = migration?.module[direction];
    if (run === undefined) throw new Error(`it has no "${direction}"`);
    await attempt.observer?.before(connection);
    const fixed = migration?.[direction];
    if (migration?.module.config?.transaction === false) {
      // Building an index concurrently waits for old transactions, which is no harm: nobody queues behind it.
      await connection.execute('set lock_timeout = 0');
      await this.#withKnex(connection, async (knex) => run(knex));
      await connection.execute(`${record}; reset lock_timeout`);
    } else if (typeof fixed === 'string') {
      if (attempt.observer === null) {
        await connection.execute(`begin;\n${fixed};\n${record}; commit`);
      } else {
        await connection.execute(`begin;\n${fixed};\n${record}`);
        await attempt.observer.after(connection);
        await connection.execute('commit');
      }
    } else {
      await this.#withKnex(connection, (knex) =>
        knex.transaction(async (transaction) => {
          await run(transaction);
          await transaction.raw(record);
          await attempt.observer?.after(connection);
        }),
      );
    }
    attempt.applied.push(name);
    attempt.during = null;
  }

  async #withKnex(connection: PgConnection, work: (knex: Knex) => Promise<unknown>): Promise<void> {
    const lent = this.#knexes.pop() ?? new SingleConnectionKnex();
    lent.connection = connection.lendDriver();
    try {
      await work(lent.knex);
    } finally {
      lent.connection = null;
      this.#knexes.push(lent);
    }
  }

  async #load(): Promise<Release> {
    const { migrations } = this.#deps;
    const release = new Map<string, ReleasedMigration>();
    for (const file of await migrations.getMigrations()) {
      const module = await migrations.getMigration(file);
      release.set(migrations.getMigrationName(file), {
        module,
        up: await fixedSqlOf(async (knex) => module.up(knex)),
        down: await fixedSqlOf(async (knex) => module.down?.(knex)),
      });
    }
    return release;
  }
}

const whyAway = ({ serverId }: MigrationTarget, error: unknown): string =>
  error instanceof ConnectionBudgetExhaustedError
    ? `no connection to its server "${serverId}" came free`
    : `its server "${serverId}" does not answer`;
