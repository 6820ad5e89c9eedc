import { expect } from 'chai';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { PgConnection, type Query } from '../../infrastructure/postgres/pg-connection.ts';
import { SqlState, sqlStateOf } from '../../infrastructure/postgres/postgres-errors.ts';
import { rejectionOf } from '../support/gate.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { on, openConnection, testPool, type TestPool } from '../support/test-pool.ts';

type Row = Record<string, unknown>;

const ALL_TYPES = `select $1::text as text, $2::int as int, $3::bool as bool, $4::jsonb as json, $5::timestamptz as at,
  $6::bigint as big, $7::float8 as float, null as nothing, array['a', null] as list, $8::uuid as id`;

describe('A named statement', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let connection: PgConnection;

  before(async () => {
    database = await createTestDatabase('prepared');
  });
  after(() => database.drop());
  beforeEach(async () => {
    proxy = await startTcpProxy(database.url);
    const url = new URL(database.url);
    [url.hostname, url.port] = [proxy.host, String(proxy.port)];
    connection = await openConnection(url.href);
  });
  afterEach(async () => {
    await connection.close();
    proxy.close();
  });

  const named = (text: string, values: readonly unknown[] = [], name = 'it'): Query<Row> => ({
    name,
    text,
    values,
  });
  const count = (): Query<Row> => named('select count(*)::int as n from kept', [], 'count');

  it('brings the same at every run as it does without a name', async () => {
    const values = [
      'a "b" \\ ü',
      -7,
      false,
      '{"a":[1,{"b":null}]}',
      '2026-01-02T03:04:05.678Z',
      '9007199254740993',
      0.1,
      'b0a1c2d3-0000-4000-8000-000000000000',
    ];
    const [plain] = await connection.query<Row>({ text: ALL_TYPES, values });
    for (let run = 0; run < 3; run += 1) {
      const [row, ...others] = await connection.query(named(ALL_TYPES, values));
      expect(others).to.be.empty;
      expect(row).to.deep.equal(plain);
      expect(Object.keys(row ?? {})).to.deep.equal(Object.keys(plain ?? {}));
    }
  });

  it('means on each connection what its own database says', async () => {
    const other = await openConnection(database.url);
    const shapes = ["1 as n, 'a' as t", "'1'::text as n, 'a' as t", "1 as m, 'a' as t", '1 as n'];
    try {
      for (const shape of shapes) {
        for (const each of [connection, other]) await each.execute('drop view if exists pg_temp.shape');
        await connection.execute(`create temp view shape as select ${shape}`);
        await other.execute(`create temp view shape as select 1 as n, 'a' as t`);
        const ask = named('select * from shape', [], `shape of ${shape}`);
        const expected = await connection.query<Row>({ text: 'select * from shape', values: [] });
        for (let run = 0; run < 3; run += 1) {
          expect(await other.query(ask)).to.deep.equal([{ n: 1, t: 'a' }]);
          expect(await connection.query(ask)).to.deep.equal(expected);
        }
      }
    } finally {
      await other.close();
    }
  });

  it('takes other values at every run, nulls and such as only the driver can write too', async () => {
    const echo = (value: unknown) => connection.query(named('select $1::jsonb as value', [value], 'echo'));
    const at = (value: unknown) => connection.query(named('select $1::timestamptz as at', [value], 'at'));
    for (const value of ['1', null, { a: ['b'] }, '"x"', null, { c: null }]) {
      const expected = typeof value === 'string' ? JSON.parse(value) : value;
      expect(await echo(value)).to.deep.equal([{ value: expected }]);
    }
    const moment = new Date(1_700_000_000_123);
    for (const value of [moment, moment.toISOString(), moment]) {
      expect(await at(value)).to.deep.equal([{ at: moment }]);
    }
  });

  it('brings rows, none, and those of a write', async () => {
    await connection.query({ text: 'create table kept (n int)', values: [] });
    const many = (limit: number) =>
      connection.query(named('select n from generate_series(1, $1::int) n', [limit], 'many'));
    for (const limit of [0, 3, 0, 1]) expect(await many(limit)).to.have.length(limit);
    const insert = (n: number) =>
      connection.query(named('insert into kept values ($1) returning n', [n], 'insert'));
    for (const n of [1, 2, 3]) expect(await insert(n)).to.deep.equal([{ n }]);
    const silent = (n: number) => connection.query(named('insert into kept values ($1)', [n], 'silent'));
    for (const n of [4, 5]) expect(await silent(n)).to.deep.equal([]);
    expect(await connection.query(count())).to.deep.equal([{ n: 5 }]);
    await connection.query({ text: 'drop table kept', values: [] });
  });

  it('fails with the server’s error at any run, and runs again afterwards', async () => {
    const divide = (by: number) => connection.query(named('select 6 / $1::int as value', [by], 'divide'));
    expect(await divide(2)).to.deep.equal([{ value: 3 }]);
    for (let run = 0; run < 3; run += 1) {
      expect(sqlStateOf(await rejectionOf(divide(0)))).to.equal('22012');
      expect(await divide(3)).to.deep.equal([{ value: 2 }]);
      expect(connection.isReusable).to.equal(true);
    }
  });

  it('is refused with another text under its name', async () => {
    await connection.query(named('select 1 as n'));
    await connection.query(named('select 1 as n'));
    await rejectionOf(connection.query(named('select 2 as n')));
  });

  it('with two columns of one name brings the last one, as without a name', async () => {
    const text = 'select $1::int as n, $2::int as n';
    for (const values of [
      [1, 2],
      [1, null],
      [1, null],
      [null, 3],
    ]) {
      expect(await connection.query(named(text, values, 'twice'))).to.deep.equal([{ n: values[1] }]);
    }
  });

  it('asks for the description of its rows once', async () => {
    const wide = `select ${Array.from({ length: 200 }, (_, index) => `null::text as column_${index}`).join(', ')}`;
    const bytesOf = async (): Promise<number> => {
      const before = proxy.bytesFromServer;
      await connection.query(named(wide));
      return proxy.bytesFromServer - before;
    };
    const [first, second, third] = [await bytesOf(), await bytesOf(), await bytesOf()];
    expect(second).to.be.lessThan(first / 3);
    expect(third).to.equal(second);
  });

  it('runs with others in one write and in their order, and brings the rows of the last', async () => {
    await connection.query({ text: 'create table kept (n int)', values: [] });
    const insert = (n: number) => named('insert into kept values ($1) returning n', [n], 'insert');
    for (const [before, writes] of [
      [0, 2],
      [1, 1],
      [2, 1],
    ] as const) {
      const chunks = proxy.chunksFromClients;
      const { rows, command } = await connection.queryAll([insert(1), count()]);
      expect({ rows, command }).to.deep.equal({ rows: [{ n: before + 1 }], command: 'SELECT' });
      expect(proxy.chunksFromClients - chunks, 'the first time each is prepared').to.equal(writes);
    }
    await connection.query({ text: 'drop table kept', values: [] });
  });

  it('has its own time among others', async () => {
    const url = DatabaseUrl.parse(database.url);
    const deadlines = { statementTimeoutMs: 1000 };
    const hasty = await PgConnection.open({
      url,
      applicationName: 'test',
      connectTimeoutMs: 5000,
      deadlines,
    });
    try {
      const sleep = (ms: number) => named('select pg_sleep($1::float8 / 1000)', [ms], 'sleep');
      await hasty.query(sleep(0));
      // Together they take longer than the client waits for one.
      const all = Array.from({ length: 4 }, () => sleep(600));
      expect((await hasty.queryAll([...all, sleep(0)])).command).to.equal('SELECT');
      const tooLong = hasty.queryAll([sleep(0), sleep(1600)]);
      expect(sqlStateOf(await rejectionOf(tooLong)), 'by the server').to.equal(SqlState.queryCanceled);
    } finally {
      await hasty.close();
    }
  });

  it('that fails among others ends them: none after it runs', async () => {
    const divide = (by: number) => named('select 6 / $1::int as value', [by], 'divide');
    const [begin, commit] = [named('begin', [], 'begin'), named('commit', [], 'commit')];
    for (let run = 0; run < 3; run += 1) {
      const failing = connection.queryAll([
        begin,
        divide(run < 1 ? 1 : 0),
        run < 1 ? divide(0) : divide(1),
        commit,
      ]);
      expect(sqlStateOf(await rejectionOf(failing))).to.equal('22012');
      expect(connection.isInTransaction).to.equal(true);
      expect((await connection.queryAll([commit])).command, 'it failed').to.equal('ROLLBACK');
      expect((await connection.queryAll([begin, divide(3), commit])).command).to.equal('COMMIT');
      expect([connection.isInTransaction, connection.isReusable]).to.deep.equal([false, true]);
    }
  });

  describe('that the server does not run as it was prepared', () => {
    const SIZE = 3;
    const READ = { ...named('select n from stale order by n', [], 'read'), readOnly: true };
    const WRITE = { ...named('insert into stale values (7) returning n', [], 'write'), readOnly: false };
    let opened: TestPool;

    beforeEach(async () => {
      opened = testPool(database.url, { size: SIZE });
      await connection.execute('create table stale (n int)');
    });
    afterEach(async () => {
      await opened.pool.close();
      await connection.execute('drop table stale');
    });
    /** Has every connection of the pool run these, and lets them lie idle. */
    const prepare = async (...statements: readonly Query<Row>[]): Promise<void> => {
      const held = await Promise.all(Array.from({ length: SIZE }, () => opened.pool.acquire()));
      for (const each of held) for (const statement of statements) await each.query(statement);
      for (const each of held) opened.pool.release(each);
      expect([opened.connects(), opened.pool.snapshot().idle]).to.deep.equal([SIZE, SIZE]);
    };
    const change = (): Promise<string> => connection.execute('alter table stale alter n type text');

    for (const [kind, statement, expected] of [
      ['read', READ, []],
      ['write', WRITE, [{ n: '7' }]],
    ] as const) {
      it(`is sent again, and its pool has new connections: a ${kind} whose table was changed`, async () => {
        await prepare(statement);
        await change();
        for (let run = 0; run < SIZE; run += 1)
          expect(await on(opened.pool).query(statement)).to.deep.equal(expected);
        expect(opened.connects()).to.equal(SIZE + 1);
      });

      it(`is sent again: a ${kind} that its session has forgotten`, async () => {
        await connection.execute(
          `create or replace function forget() returns int language plpgsql as 'begin deallocate all; return 1; end'`,
        );
        await prepare(statement);
        const held = await Promise.all(Array.from({ length: SIZE }, () => opened.pool.acquire()));
        for (const each of held) await each.query({ text: 'select forget()', values: [] });
        for (const each of held) opened.pool.release(each);
        for (let run = 0; run < SIZE; run += 1) await on(opened.pool).query(statement);
        expect(opened.connects()).to.equal(SIZE + 1);
      });
    }

    it('fails in a transaction, once for all connections, and as one that may be tried again', async () => {
      await prepare(READ);
      await change();
      const transaction = () => on(opened.pool).transaction(({ query }) => query(READ));
      expect(await rejectionOf(transaction())).to.be.instanceOf(DatabaseConnectionError);
      for (let run = 0; run < SIZE; run += 1) expect(await transaction()).to.deep.equal([]);
    });

    it('is not what it is told of anything else that PostgreSQL cannot do: nothing is repeated', async () => {
      await prepare();
      const impossible = { ...named('select * from nowhere.public.stale', [], 'impossible'), readOnly: true };
      const error = await rejectionOf(on(opened.pool).query(impossible));
      expect(sqlStateOf(error)).to.equal(SqlState.featureNotSupported);
      expect([opened.connects(), opened.pool.snapshot().idle]).to.deep.equal([SIZE, SIZE]);
    });
  });

  it('that is not answered ends with the connection', async () => {
    await connection.query(named('select 1 as n'));
    proxy.stall();
    const answer = rejectionOf(connection.query(named('select 1 as n')));
    proxy.reset();
    await answer;
    expect(connection.isReusable).to.equal(false);
  });
});
