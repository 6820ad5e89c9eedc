import { expect } from 'chai';
import { Client } from 'pg';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { ensureDatabase } from '../../infrastructure/postgres/ensure-database.ts';
import { until } from '../support/gate.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

describe('processes that start at the same time', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  /** Does what the process that comes first does, and commits when the test says so. */
  let first: Client;

  beforeEach(async () => {
    database = await createTestDatabase('start at once');
    first = new Client(DatabaseUrl.parse(database.url).withDatabase('postgres').toString());
    await first.connect();
  });
  afterEach(async () => {
    await first.end();
    await database.drop();
  });

  const rightsOf = async (): Promise<unknown> => {
    const { rows } = await first.query(
      `select datallowconn as open, has_database_privilege('public', oid, 'connect') as public
       from pg_database where datname = $1`,
      [database.name],
    );
    return rows[0];
  };

  /** Starts another process while the first has made a change and not committed it. */
  const whileFirstChanges = async (change: string): Promise<boolean> => {
    await first.query(`begin; ${change}`);
    const second = ensureDatabase(DatabaseUrl.parse(database.url));
    second.catch(() => undefined); // awaited below
    await until('the second waits for the first', async () => {
      const { rows } = await first.query(
        'select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))',
      );
      return rows.length > 0;
    });
    await first.query('commit');
    return second;
  };

  it('all find a metadata database closed that an operator had made, whoever closes it', async () => {
    expect(await whileFirstChanges(`revoke all on database "${database.name}" from public`)).to.equal(false);
    expect(await rightsOf()).to.deep.equal({ open: true, public: false });
  });

  it('all find a metadata database ready that one of them has made', async () => {
    await first.query(`alter database "${database.name}" allow_connections false`);
    expect(
      await whileFirstChanges(
        `revoke all on database "${database.name}" from public;
         alter database "${database.name}" allow_connections true`,
      ),
    ).to.equal(false);
    expect(await rightsOf()).to.deep.equal({ open: true, public: false });
  });
});
