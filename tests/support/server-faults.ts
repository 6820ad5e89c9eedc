import { Client } from 'pg';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import type { Deployment } from './deployment.ts';
import { until } from './gate.ts';

/** Ends all sessions of a database and waits until they are gone; returns how many there were. */
export const terminateBackends = async (deployment: Deployment, databaseName: string): Promise<number> => {
  const rows = await deployment.administer(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
     where datname = $1 and backend_type = 'client backend'`,
    [databaseName],
  );
  return rows.length;
};

export interface TableLock {
  /** Waits until somebody waits for the lock, and ends their sessions; returns how many. */
  terminateWaiting(): Promise<number>;
  /** Safe to call twice. */
  release(): Promise<void>;
}

/** Runs statements in a transaction that stays open; `rollBack` undoes them, and `commit` does not. */
export const openTransaction = async (
  deployment: Deployment,
  databaseName: string,
  statements: string,
): Promise<{ rollBack(): Promise<void>; commit(): Promise<void> }> => {
  const url = DatabaseUrl.parse(deployment.environment['DB_DATABASE_URL'] ?? '').withDatabase(databaseName);
  const client = new Client({ connectionString: url.toString() });
  await client.connect();
  await client.query(`begin; ${statements}`);
  let ended: Promise<void> | undefined;
  return {
    rollBack: () => {
      ended ??= client.end();
      return ended;
    },
    commit: async () => {
      await client.query('commit');
      ended ??= client.end();
      await ended;
    },
  };
};

/** Locks a table against everybody: whoever reads or writes it stands still, in the middle of the statement. */
export const lockTable = async (
  deployment: Deployment,
  databaseName: string,
  table: string,
): Promise<TableLock> => {
  const transaction = await openTransaction(
    deployment,
    databaseName,
    `lock table ${table} in access exclusive mode`,
  );
  return {
    terminateWaiting: async () => {
      let terminated = 0;
      await until('somebody waits for the lock', async () => {
        const rows = await deployment.administer(
          `select pg_terminate_backend(pid, 5000) from pg_stat_activity
           where datname = $1 and wait_event_type = 'Lock' and wait_event = 'relation'`,
          [databaseName],
        );
        terminated = rows.length;
        return terminated > 0;
      });
      return terminated;
    },
    release: () => transaction.rollBack(),
  };
};

/** A login that the server lets in only so often at the same time: to it the server is full (53300). */
export interface LimitedLogin {
  connect(databaseName: string): Promise<PgConnection>;
  /** Takes all its connections, from outside of the service. */
  occupyAll(): Promise<{ release(): Promise<void> }>;
}

export const limitedLogin = async (deployment: Deployment, limit: number): Promise<LimitedLogin> => {
  const url = DatabaseUrl.parse(deployment.environment['DB_DATABASE_URL'] ?? '');
  // Dropped with the deployment, as its name begins like those of its databases.
  const name = deployment.databaseName('limited');
  await deployment.administer(
    `create role "${name}" login password 'limited' connection limit ${limit} in role current_user`,
  );
  const connect = (databaseName: string): Promise<PgConnection> =>
    PgConnection.open({
      url: url.withDatabase(databaseName).withCredentials(name, 'limited'),
      applicationName: 'limited',
      connectTimeoutMs: 5000,
      deadlines: { statementTimeoutMs: 10_000 },
    });
  return {
    connect,
    occupyAll: async () => {
      const connections: PgConnection[] = [];
      for (let i = 0; i < limit; i += 1) connections.push(await connect('postgres'));
      return { release: async () => void (await Promise.all(connections.map((one) => one.close()))) };
    },
  };
};
