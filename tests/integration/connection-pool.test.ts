import { expect } from 'chai';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { ConnectionBudgetExhaustedError, OrganizationBusyError } from '../../domain/databases/errors.ts';
import { CircuitBreaker } from '../../infrastructure/pools/circuit-breaker.ts';
import { ConnectionBudget } from '../../infrastructure/pools/connection-budget.ts';
import type { ConnectionPool } from '../../infrastructure/pools/connection-pool.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import type { PoolOptions } from '../../infrastructure/pools/pool-options.ts';
import { withOverrides } from '../support/decorate.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { occupy, openConnection, read, on, testPool, write, type TestPool } from '../support/test-pool.ts';

describe('a connection pool', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let pools: ConnectionPool[];

  before(async () => {
    database = await createTestDatabase('connection pool');
  });
  after(() => database.drop());
  beforeEach(() => {
    pools = [];
  });
  afterEach(async () => {
    await Promise.all(pools.map((pool) => pool.close()));
    for (const pool of pools) expect(pool.slots.held, 'connections left open').to.equal(0);
  });

  const open = (overrides: Partial<PoolOptions> = {}): TestPool => {
    const opened = testPool(database.url, overrides);
    pools.push(opened.pool);
    return opened;
  };

  /** Connects that take no time: a short deadline is then spent on what a test is about. */
  const opened = async (count: number, url = database.url) => {
    const connections = await Promise.all(Array.from({ length: count }, () => openConnection(url)));
    const ready = [...connections];
    const connect = (): Promise<PgConnection> => {
      const next = ready.pop();
      return next === undefined ? Promise.reject(new Error('none is left')) : Promise.resolve(next);
    };
    return { connections, connect };
  };

  describe('size and overflow', () => {
    it('opens nothing before it is asked', () => {
      const { pool, connects } = open();
      expect(connects()).to.equal(0);
      expect(pool.snapshot()).to.deep.equal({ open: 0, idle: 0, inUse: 0, waiting: 0 });
    });

    it('never has more than both together, keeps `size` idle, and closes the others when they are returned', async () => {
      const { pool, connects } = open({ size: 2, maxOverflow: 1 });
      const gates = Array.from({ length: 3 }, () => new Gate());
      const occupied = gates.map((gate) => occupy(pool, gate));
      const waiting = Array.from({ length: 4 }, () => on(pool).query(read()));
      await Promise.all(gates.map(({ reached }) => reached));
      expect(pool.snapshot()).to.deep.equal({ open: 3, idle: 0, inUse: 3, waiting: 4 });

      for (const gate of gates) gate.open();
      await Promise.all([...occupied, ...waiting]);
      await until('the overflow is closed', () => pool.slots.held === 2);
      expect(pool.snapshot()).to.deep.equal({ open: 2, idle: 2, inUse: 0, waiting: 0 });
      expect(connects()).to.equal(3);
    });

    it('uses one connection for one request after another', async () => {
      const { pool, connects } = open({ size: 5 });
      const pids = new Set<number>();
      for (let i = 0; i < 10; i += 1) for (const { pid } of await on(pool).query(read())) pids.add(pid);
      expect(pids.size).to.equal(1);
      expect(connects()).to.equal(1);
    });

    it('closes those that lay idle for too long, least recently used first', async () => {
      const { pool } = open({ size: 2 });
      const gate = new Gate();
      const first = occupy(pool, gate);
      await gate.reached;
      await on(pool).query(read());
      gate.open();
      await first;
      const before = performance.now();
      const [used] = await on(pool).query(read());
      pool.closeIdleSince(before);
      await until('one is closed', () => pool.slots.held === 1);
      expect(await on(pool).query(read())).to.deep.equal([used]);
    });
  });

  describe('waiting', () => {
    it('serves in the order of arrival', async () => {
      const { pool } = open();
      const gate = new Gate();
      const occupied = occupy(pool, gate);
      await gate.reached;
      const order: number[] = [];
      const waiting = Array.from({ length: 20 }, async (_, index) => {
        await on(pool).query(read());
        order.push(index);
      });
      gate.open();
      await Promise.all([occupied, ...waiting]);
      expect(order).to.deep.equal(Array.from({ length: 20 }, (_, index) => index));
    });

    it('ends with OrganizationBusyError when its own connections stay in use', async () => {
      const { connect } = await opened(1);
      const { pool } = open({ acquireTimeoutMs: 500, connect });
      const gate = new Gate();
      const occupied = occupy(pool, gate);
      await gate.reached;
      expect(await rejectionOf(on(pool).query(read()))).to.be.instanceOf(OrganizationBusyError);
      expect(pool.snapshot().waiting).to.equal(0);
      gate.open();
      await occupied;
      await on(pool).query(read());
    });

    it('ends with ConnectionBudgetExhaustedError when the budget stays spent', async () => {
      const budget = new ConnectionBudget(1);
      const { pool: one } = open({ budget });
      const { connect } = await opened(1);
      const { pool: other } = open({ budget, acquireTimeoutMs: 500, connect });
      const gate = new Gate();
      const occupied = occupy(one, gate);
      await gate.reached;
      expect(await rejectionOf(on(other).query(read()))).to.be.instanceOf(ConnectionBudgetExhaustedError);
      gate.open();
      await occupied;
      await on(other).query(read());
    });

    it('is over when the pool is closed, while running work ends in peace', async () => {
      const { pool } = open();
      const gate = new Gate();
      const running = on(pool).transaction(async ({ query }) => {
        await gate.pass();
        return query({ text: 'select 1 as one', values: [] });
      });
      await gate.reached;
      const waiting = rejectionOf(on(pool).query(read()));
      const closing = pool.close();
      expect(await waiting).to.be.instanceOf(DatabaseConnectionError);
      expect(await rejectionOf(on(pool).query(read()))).to.be.instanceOf(DatabaseConnectionError);
      gate.open();
      expect(await running).to.deep.equal([{ one: 1 }]);
      await Promise.all([closing, pool.close()]);
      expect(pool.slots.held).to.equal(0);
    });

    it('gives each waiter the error of a connect of its own, and recovers', async () => {
      let broken = true;
      const { pool } = open({
        size: 2,
        connect: () => (broken ? Promise.reject(new Error('no')) : openConnection(database.url)),
      });
      const errors = await Promise.all(Array.from({ length: 5 }, () => rejectionOf(on(pool).query(read()))));
      for (const error of errors) expect(error).to.be.instanceOf(DatabaseConnectionError);
      expect(pool.isFailing).to.equal(true);
      const refusal = await rejectionOf(on(pool).query(read()));
      expect(refusal, 'it is not even tried').to.have.property('retryAfterMs').that.is.within(0, 10_000);
      broken = false;
      await until('it is tried again', () =>
        on(pool)
          .query(read())
          .then(
            () => true,
            () => false,
          ),
      );
      expect(pool.isFailing).to.equal(false);
    });
  });

  describe('while the event loop is saturated', () => {
    let saturated: boolean;
    let shared: ConnectionBudget;
    let flooding: ConnectionPool;
    let other: ConnectionPool;
    let held: Gate;
    let work: Promise<void>;

    /** A pool with two connections, one of them at work until `held` opens; and another pool of the same budget. */
    beforeEach(async () => {
      saturated = false;
      shared = new ConnectionBudget(10);
      ({ pool: flooding } = open({ size: 2, budget: shared, isSaturated: () => saturated }));
      ({ pool: other } = open({ budget: shared }));
      const gates = [new Gate(), new Gate()];
      const both = gates.map((gate) => occupy(flooding, gate));
      await Promise.all(gates.map(({ reached }) => reached));
      for (const gate of gates) gate.open();
      await Promise.all(both);
      held = new Gate();
      work = occupy(flooding, held);
      await held.reached;
    });
    afterEach(async () => {
      held.open();
      await work;
    });

    /** Others were there just now, and a connection of the flooding pool came back. */
    const saturate = async (): Promise<void> => {
      await on(other).query(read());
      await on(flooding).query(read());
      saturated = true;
    };
    const waits = { open: 2, idle: 1, inUse: 1, waiting: 1 };

    it('has one connection at work when others are there, and serves in the order of coming', async () => {
      await saturate();
      const served: string[] = [];
      const first = on(flooding)
        .query(read())
        .then(() => served.push('first'));
      expect(flooding.snapshot()).to.deep.equal(waits);
      saturated = false;
      const second = on(flooding)
        .query(read())
        .then(() => served.push('second'));
      await Promise.all([first, second]);
      expect(served).to.deep.equal(['first', 'second']);
    });

    it('serves who waits with the connection that comes back', async () => {
      await saturate();
      const waiting = on(flooding).query(read());
      expect(flooding.snapshot()).to.deep.equal(waits);
      held.open();
      await work;
      expect(flooding.snapshot().waiting).to.equal(0);
      await waiting;
    });

    it('lets a second one stay idle when it comes back', async () => {
      const second = await flooding.acquire();
      await on(other).query(read());
      saturated = true;
      const waiting = on(flooding).query(read());
      flooding.release(second);
      expect(flooding.snapshot()).to.deep.equal(waits);
      held.open();
      await waiting;
    });

    it('turns nobody away while a connection stays idle', async () => {
      const { pool } = open({ size: 2, maxWaiting: 1, budget: shared, isSaturated: () => saturated });
      const gate = new Gate();
      const first = occupy(pool, gate);
      await gate.reached;
      await on(pool).query(read());
      await saturate();
      const reads = Array.from({ length: 2 }, () => on(pool).query(read()));
      expect(pool.snapshot()).to.deep.equal({ open: 2, idle: 0, inUse: 2, waiting: 1 });
      await Promise.all(reads);
      gate.open();
      await first;
    });

    it('keeps connections above its size while somebody waits, and closes them afterwards', async () => {
      const { pool, connects } = open({
        size: 1,
        maxOverflow: 1,
        budget: shared,
        isSaturated: () => saturated,
      });
      const [first, second] = await Promise.all([pool.acquire(), pool.acquire()]);
      await saturate();
      const waiting = on(pool).query(read());
      pool.release(second);
      expect(pool.snapshot()).to.deep.equal(waits);
      pool.release(first);
      await waiting;
      await until('the one above the size is closed', () => pool.slots.held === 1);
      expect(connects()).to.equal(2);
    });

    it('does not have anybody wait for work that takes its time', async () => {
      await saturate();
      let waiting = true;
      const next = on(flooding)
        .query(read())
        .finally(() => {
          waiting = false;
        });
      while (waiting) await on(other).query(read());
      await next;
    });

    it('has all of them at work when nobody else is there', async () => {
      saturated = true;
      const reading = on(flooding).query(read());
      expect(flooding.snapshot()).to.deep.equal({ open: 2, idle: 0, inUse: 2, waiting: 0 });
      await reading;
    });
  });

  it('takes a connection back once', async () => {
    const { pool } = open();
    const connection = await pool.acquire();
    pool.release(connection);
    expect(() => pool.release(connection)).to.throw('a connection was given back that is not in use');
    const foreign = await openConnection(database.url);
    expect(() => pool.release(foreign)).to.throw('a connection was given back that is not in use');
    await foreign.close();
    expect(pool.snapshot()).to.deep.equal({ open: 1, idle: 1, inUse: 0, waiting: 0 });
  });

  describe('transactions', () => {
    const table = 'create table if not exists pool_rows (id int primary key)';

    beforeEach(async () => {
      const { pool } = open();
      await on(pool).query(write(table));
      await on(pool).query(write('truncate pool_rows'));
    });

    it('commit when the work resolves, and roll back when it rejects, on the same connection', async () => {
      const { pool, connects } = open();
      const insert = (id: number) => ({ text: 'insert into pool_rows values ($1)', values: [id] });
      await on(pool).transaction(({ query }) => query(insert(1)));
      const failure = new OrganizationBusyError();
      const error = await rejectionOf(
        on(pool).transaction(async ({ query }) => {
          await query(insert(2));
          throw failure;
        }),
      );
      expect(error).to.equal(failure);
      expect(await on(pool).query(read('select id from pool_rows'))).to.deep.equal([{ id: 1 }]);
      expect(connects()).to.equal(1);
    });

    it('do not pretend that a transaction with a failed statement was committed', async () => {
      const { pool } = open();
      const failing = { text: 'select 1 / 0', values: [] };
      const swallow = (isAwaited: boolean) =>
        on(pool).transaction(async ({ query }) => {
          await query({ text: 'insert into pool_rows values (3)', values: [] });
          const failed = query(failing).catch(() => undefined);
          if (isAwaited) await failed;
        });
      // The first run prepares the commit.
      await on(pool).transaction(({ query }) => query(read('select id from pool_rows')));
      for (const isAwaited of [true, false])
        expect(await rejectionOf(swallow(isAwaited)), `awaited: ${isAwaited}`).to.be.instanceOf(Error);
      expect(await on(pool).query(read('select id from pool_rows'))).to.be.empty;
    });

    it('leave no transaction behind when their work fails while the first statement runs', async () => {
      const { pool } = open();
      const insert = (id: number) => ({
        ...write('insert into pool_rows values ($1)', [id]),
        name: 'insert_row',
      });
      const fail = (id: number): Promise<unknown> =>
        on(pool).transaction(({ query }) =>
          Promise.all([query(insert(id)), Promise.reject(new Error('fails first'))]),
        );
      // The second one is sent in one write with its begin.
      for (const id of [11, 21]) {
        expect(await rejectionOf(fail(id))).to.have.property('message', 'fails first');
        await on(pool).query(insert(id + 1));
      }
      const rows = await on(pool).query(read<{ id: number }>('select id from pool_rows order by id'));
      expect(rows.map(({ id }) => id)).to.deep.equal([12, 22]);
    });

    it('commit after a statement that nobody awaits', async () => {
      const { pool } = open();
      await on(pool).transaction(({ query }) => {
        void query(write('insert into pool_rows values (7)'));
        return Promise.resolve();
      });
      expect(await on(pool).query(read('select id from pool_rows'))).to.have.length(1);
      const failing = on(pool).transaction(({ query }) => {
        void query(write('insert into pool_rows values (8)'));
        query({ text: 'select 1 / 0', values: [] }).catch(() => undefined);
        return Promise.resolve();
      });
      expect(await rejectionOf(failing)).to.be.instanceOf(Error);
      expect(await on(pool).query(read('select id from pool_rows'))).to.have.length(1);
    });

    it('begin with the first statement; what nobody reads goes with the next, or with the commit', async () => {
      const sent: string[][] = [];
      const { pool } = open({
        connect: async () => {
          const connection = await openConnection(database.url);
          return withOverrides(connection, {
            queryAll: (queries) => {
              sent.push(queries.map(({ text }) => text));
              return connection.queryAll(queries);
            },
          });
        },
      });
      const insert = (id: number) => ({
        ...write(`insert into pool_rows values (${id})`),
        isDeferrable: true,
      });
      const both = 'select array_agg(id order by id) as ids from pool_rows';
      const rows = await on(pool).transaction(async ({ query }) => {
        for (const id of [1, 2]) await query(insert(id));
        const [found] = await query(read<{ ids: number[] }>(both));
        await query(insert(3));
        return found?.ids;
      });
      expect(rows).to.deep.equal([1, 2]);
      expect(sent).to.deep.equal([
        ['begin', insert(1).text, insert(2).text, both],
        [insert(3).text, 'commit'],
      ]);
      await on(pool).transaction(async () => undefined);
      expect(sent, 'nothing to commit').to.have.length(2);
    });

    it('fail as a whole with a statement that nobody reads', async () => {
      const { pool } = open();
      const insert = (id: number) => ({
        ...write('insert into pool_rows values ($1)', [id]),
        ...{ name: 'insert', isDeferrable: true },
      });
      const insertAll = (...ids: readonly number[]) =>
        on(pool).transaction(async ({ query }) => {
          for (const id of ids) await query(insert(id));
        });
      await insertAll(1, 2);
      expect(await rejectionOf(insertAll(3, 1, 4))).to.be.instanceOf(Error);
      expect(await on(pool).query(read('select id from pool_rows order by id'))).to.deep.equal([
        { id: 1 },
        { id: 2 },
      ]);
    });

    it('do not wait for a silent server a second time to roll back', async () => {
      const proxy = await startTcpProxy(database.url);
      const sent: string[] = [];
      const { pool } = open({
        connect: async () => {
          const connection = await PgConnection.open({
            url: DatabaseUrl.parse(proxy.urlOf(database.url)),
            applicationName: 'test',
            connectTimeoutMs: 5000,
            deadlines: { statementTimeoutMs: 100 },
          });
          return withOverrides(connection, {
            execute: (text) => {
              sent.push(text);
              return connection.execute(text);
            },
          });
        },
      });
      try {
        const working = on(pool).transaction(({ query }) => {
          proxy.stall();
          return query({ text: 'select 1', values: [] });
        });
        expect(await rejectionOf(working)).to.be.instanceOf(DatabaseConnectionError);
        expect(sent, 'no rollback').to.be.empty;
      } finally {
        proxy.reset();
        await pool.close();
        proxy.close();
      }
    });

    it('run nothing after their end', async () => {
      const { pool } = open();
      const late = await on(pool).transaction(
        async ({ query }) =>
          () =>
            query({ text: 'select 1', values: [] }),
      );
      expect(await rejectionOf(late())).to.be.instanceOf(Error);
    });

    it("leave an error of the work that only sounds like the driver's as it is", async () => {
      const { pool } = open();
      const bug = new TypeError(`Cannot read properties of undefined (reading 'client')`);
      expect(await rejectionOf(on(pool).transaction(() => Promise.reject(bug)))).to.equal(bug);
    });
  });

  describe('session-state-does-not-survive-release', () => {
    const CLEAN = { path: '"$user", public', timeout: '10s', zone: true, temp: null, locks: 0 };

    const look = async (pool: ConnectionPool): Promise<unknown> => {
      const [row] = await on(pool).query(
        read<object>(`select current_setting('search_path') as path, current_setting('statement_timeout') as timeout,
                current_setting('timezone') <> 'Asia/Tokyo' as zone, to_regclass('pg_temp.t') as temp,
                (select count(*)::int from pg_locks where locktype = 'advisory' and database =
                  (select oid from pg_database where datname = current_database())) as locks`),
      );
      return row;
    };

    it('after a session that changed settings, locked, and made a temporary table', async () => {
      const { pool, connects } = open();
      await on(pool).session(async (connection) => {
        await connection.execute(`set search_path = pg_catalog; set statement_timeout = 9999`);
        await connection.execute(`set timezone = "Asia/Tokyo"; create temp table t ()`);
        await connection.query({ text: 'select pg_advisory_lock(42)', values: [] });
      });
      expect(await look(pool)).to.deep.equal(CLEAN);
      expect(connects(), 'on the same connection').to.equal(1);
    });

    it('after a session that left a transaction open, and one that left a failed one', async () => {
      const { pool } = open();
      await on(pool).session((connection) => connection.execute('begin; set timezone = "Asia/Tokyo"'));
      expect(await look(pool)).to.deep.equal(CLEAN);
      await rejectionOf(on(pool).session((connection) => connection.execute('begin; select 1 / 0')));
      expect(await look(pool)).to.deep.equal(CLEAN);
    });

    it('after a statement or a transaction that changed a setting or made a temporary table', async () => {
      const { pool } = open();
      await on(pool).query(write(`set timezone = 'Asia/Tokyo'`));
      expect(await look(pool)).to.deep.equal(CLEAN);
      await on(pool).transaction(({ query }) => query({ text: 'create temp table t ()', values: [] }));
      expect(await look(pool)).to.deep.equal(CLEAN);
    });

    it('and named statements work on the connection afterwards', async () => {
      const { pool } = open();
      const named = { ...read<{ one: number }>('select 1 as one'), name: 'one' };
      await on(pool).query(named);
      await on(pool).session(() => Promise.resolve());
      expect(await on(pool).query(named)).to.deep.equal([{ one: 1 }]);
    });
  });

  it('refuses at once, and for its reason, when the server goes while its first connect is under way', async () => {
    const serverBreaker = new CircuitBreaker({ threshold: 2, minDelayMs: 60_000, maxDelayMs: 60_000 });
    const gate = new Gate();
    const { pool } = open({
      acquireTimeoutMs: 1000,
      serverBreaker,
      connect: async () => {
        await gate.pass();
        throw Object.assign(new Error('nobody listens'), { code: 'ECONNREFUSED' });
      },
    });
    const acquiring = rejectionOf(pool.acquire());
    await gate.reached;
    // Another pool, or the probe, found the same.
    serverBreaker.attempt();
    serverBreaker.failed();
    gate.open();
    expect(await acquiring).to.be.instanceOf(DatabaseConnectionError);
  });

  it('does not take the server for gone when somebody ends the sessions that log in to one database', async () => {
    const serverBreaker = new CircuitBreaker({ threshold: 1, minDelayMs: 60_000, maxDelayMs: 60_000 });
    const administrator = await openConnection(database.url);
    const { pool } = open({
      serverBreaker,
      connect: async () => {
        const connection = await openConnection(database.url);
        // As the questions that follow a login.
        const question = rejectionOf(connection.query({ text: 'select pg_sleep(60)', values: [] }));
        const values = [connection.backendPid];
        await administrator.query({ text: 'select pg_terminate_backend($1)', values });
        throw await question;
      },
    });
    const refusal = await rejectionOf(pool.acquire());
    await administrator.close();
    expect(refusal).to.have.nested.property('cause.code', '57P01');
    expect(serverBreaker.state).to.equal('closed');
  });

  it('lets a request wait for a connection in use, although the server counts as gone', async () => {
    const serverBreaker = new CircuitBreaker({ threshold: 1, minDelayMs: 60_000, maxDelayMs: 60_000 });
    const { pool } = open({ serverBreaker });
    const holder = await pool.acquire();
    const waiting = pool.acquire();
    serverBreaker.attempt();
    serverBreaker.failed();
    // Looked at when a connection is missing, and as the pool would grow.
    pool.resize({ size: 1, maxOverflow: 0 });
    pool.release(holder);
    pool.release(await waiting);
  });

  for (const [state, backOffMs] of [
    ['open', 60_000],
    ['half-open', 1],
  ] as const) {
    it(`says that the server is gone to a request that waited until the deadline: ${state}`, async () => {
      const serverBreaker = new CircuitBreaker({
        threshold: 1,
        minDelayMs: backOffMs,
        maxDelayMs: backOffMs,
      });
      const { connect } = await opened(1);
      const { pool } = open({ acquireTimeoutMs: 100, serverBreaker, connect });
      const holder = await pool.acquire();
      const acquiring = rejectionOf(pool.acquire());
      serverBreaker.attempt();
      serverBreaker.failed();
      await until('it is', () => serverBreaker.state === state);
      expect(await acquiring).to.be.instanceOf(DatabaseConnectionError);
      pool.release(holder);
    });
  }

  it('keeps the deadline when none of its idle connections answers', async () => {
    const proxy = await startTcpProxy(database.url);
    const { connections, connect } = await opened(6, proxy.urlOf(database.url));
    const { pool } = open({ size: 6, acquireTimeoutMs: 300, connect });
    try {
      const held = await Promise.all(connections.map(() => pool.acquire()));
      for (const connection of held) pool.release(connection);
      for (const connection of connections) connection.lastUsedAt = 0; // they have rested for long
      proxy.stall();
      const from = performance.now();
      expect(await rejectionOf(pool.acquire())).to.be.instanceOf(DatabaseConnectionError);
      expect(performance.now() - from).to.be.lessThan(2000);
      expect(pool.snapshot().idle, 'the others are not asked').to.equal(0);
    } finally {
      proxy.reset();
      await pool.close();
      proxy.close();
    }
  });

  it('refuses requests that wait as soon as the server is known to be gone', async () => {
    const serverBreaker = new CircuitBreaker({ threshold: 1, minDelayMs: 60_000, maxDelayMs: 60_000 });
    const gate = new Gate();
    const { pool } = open({
      acquireTimeoutMs: 60_000,
      serverBreaker,
      connect: () => gate.pass().then(() => openConnection(database.url)),
    });
    const waiting = [rejectionOf(pool.acquire()), rejectionOf(pool.acquire())];
    await gate.reached;
    serverBreaker.attempt();
    serverBreaker.failed();
    for (const error of await Promise.all(waiting)) expect(error).to.be.instanceOf(DatabaseConnectionError);
    gate.open();
  });

  describe('while a failing database is tried again', () => {
    const failedOnce = async (): Promise<CircuitBreaker> => {
      const breaker = new CircuitBreaker({ threshold: 1, minDelayMs: 1, maxDelayMs: 1 });
      breaker.failed();
      await until('it may be tried again', () => breaker.state === 'half-open');
      return breaker;
    };
    const held = (gate: Gate) => () => gate.pass().then(() => openConnection(database.url));

    it('has nobody wait but the one who tries', async () => {
      const gate = new Gate();
      const { pool } = open({ breaker: await failedOnce(), connect: held(gate), acquireTimeoutMs: 60_000 });
      const first = pool.acquire();
      await gate.reached;
      expect(await rejectionOf(pool.acquire())).to.be.instanceOf(DatabaseConnectionError);
      gate.open();
      pool.release(await first);
      pool.release(await pool.acquire());
    });

    it('has nobody wait for long for a server, and goes on with the try', async () => {
      const gate = new Gate();
      const serverBreaker = await failedOnce();
      const { pool } = open({ serverBreaker, connect: held(gate), acquireTimeoutMs: 60_000 });
      expect(await rejectionOf(pool.acquire())).to.be.instanceOf(DatabaseConnectionError);
      gate.open();
      await until('the try has ended well', () => serverBreaker.state === 'closed');
      pool.release(await pool.acquire());
      expect(pool.snapshot()).to.include({ open: 1, idle: 1 });
    });
  });

  it('knows that a statement has left a transaction failed as soon as the error is seen', async () => {
    const { pool } = open();
    await on(pool).session(async (connection) => {
      for (let i = 0; i < 200; i += 1) {
        await rejectionOf(connection.execute('begin; select 1 / 0; commit'));
        expect(connection.isReusable, `round ${i}`).to.equal(false);
        await connection.execute('rollback');
      }
    });
  });
});
