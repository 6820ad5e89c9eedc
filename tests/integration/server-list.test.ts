import { expect } from 'chai';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { isNamed } from '../../infrastructure/postgres/connection-names.ts';
import { ensureDatabase } from '../../infrastructure/postgres/ensure-database.ts';
import { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import {
  isServerFailure,
  NoServerError,
  SqlState,
  sqlStateOf,
} from '../../infrastructure/postgres/postgres-errors.ts';
import { tryHosts } from '../../infrastructure/postgres/multi-host-connect.ts';
import { metadataMigrations } from '../../infrastructure/migrations/migration-source.ts';
import { Migrator } from '../../infrastructure/migrations/migrator.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { on, read, testPool, write } from '../support/test-pool.ts';

const CONNECT_TIMEOUT_MS = 1500;

describe('A database URL that names several servers', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let one: TcpProxy;
  let two: TcpProxy;

  before(async () => {
    database = await createTestDatabase('server list');
  });
  after(() => database.drop());
  beforeEach(async () => {
    [one, two] = await Promise.all([startTcpProxy(database.url), startTcpProxy(database.url)]);
  });
  afterEach(() => {
    one.close();
    two.close();
  });

  /** The test database, at both proxies in their order. */
  const listUrl = (target?: string): DatabaseUrl => {
    const url = new URL(database.url);
    url.searchParams.set('host', `${one.host},${two.host}`);
    url.searchParams.set('port', `${one.port},${two.port}`);
    if (target !== undefined) url.searchParams.set('target_session_attrs', target);
    return DatabaseUrl.parse(url.href);
  };
  const open = (url: DatabaseUrl): Promise<PgConnection> =>
    PgConnection.open({
      url,
      applicationName: 'test',
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      deadlines: { statementTimeoutMs: 5000 },
    });
  const connects = (): readonly number[] => [one.connects, two.connects];
  const refusalOf = async (url: DatabaseUrl): Promise<NoServerError> => {
    const error = await rejectionOf(open(url));
    if (error instanceof NoServerError) return error;
    throw error;
  };
  const setReadOnly = async (value: 'on' | 'off'): Promise<void> => {
    const admin = await open(DatabaseUrl.parse(database.url).withDatabase('postgres'));
    await admin.execute(`alter database ${database.name} set default_transaction_read_only = ${value}`);
    await admin.close();
  };

  it('tries every server with TLS first, each time, where it prefers that', async () => {
    const url = DatabaseUrl.parse('postgresql://a,b/d?sslmode=prefer&target_session_attrs=read-write');
    const round = async (works: (way: string) => boolean): Promise<readonly string[]> => {
      const tried: string[] = [];
      await tryHosts(url.withDatabase('e'), 1000, async ({ host, ssl }) => {
        const way = `${host} ${ssl === false ? 'plain' : 'TLS'}`;
        tried.push(way);
        if (!works(way)) throw new Error('a handshake broke off');
      });
      return tried;
    };
    expect(await round((way) => way === 'b plain')).to.deep.equal(['a TLS', 'a plain', 'b TLS', 'b plain']);
    expect(await round(() => true), 'the right server, and not how it was reached').to.deep.equal(['b TLS']);
  });

  it('has the processes know each other’s connections, whatever it calls the program', async () => {
    const name = 'mad presence 0123456789abcdef';
    for (const program of [
      'billing',
      'Größenänderungsüberwachung',
      '計費系統計費系統計費',
      `it's %_`,
      'x'.repeat(99),
    ]) {
      const connection = await PgConnection.open({
        url: DatabaseUrl.parse(`${database.url}?application_name=${encodeURIComponent(program)}`),
        applicationName: name,
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
      });
      const [row] = await connection.query<{ known: boolean }>({
        text: `select ${isNamed('$1')} as known from pg_stat_activity a where pid = pg_backend_pid()`,
        values: [name],
      });
      await connection.close();
      expect(row?.known, program).to.equal(true);
    }
  });

  it('of one server says whether it wants TLS, and how the program is called', async () => {
    const nameOf = async (parameters: string): Promise<string | undefined> => {
      const connection = await open(DatabaseUrl.parse(`${database.url}?${parameters}`));
      const [row] = await connection.query<{ name: string }>({
        text: `select current_setting('application_name') as name`,
        values: [],
      });
      await connection.close();
      return row?.name;
    };
    // The test servers have no TLS.
    for (const mode of ['disable', 'allow', 'prefer'])
      expect(await nameOf(`sslmode=${mode}&application_name=billing`)).to.equal('billing: test');
    expect(String(await rejectionOf(nameOf('sslmode=require')))).to.match(/does not support SSL/);
  });

  it('comes to the first one that answers, in their order, each time anew', async () => {
    await (await open(listUrl())).close();
    expect(connects()).to.deep.equal([1, 0]);
    one.refuse();
    await (await open(listUrl())).close();
    expect(connects()).to.deep.equal([1, 1]);
    await one.resume();
    await (await open(listUrl())).close();
    expect(connects()).to.deep.equal([2, 1]);
  });

  it('begins with the one that was right last when it asks for a kind of server', async () => {
    const url = listUrl('read-write');
    one.stall();
    await (await open(url)).close();
    expect(connects()).to.deep.equal([1, 1]);
    await (await open(url.withDatabase('postgres'))).close();
    expect(connects()).to.deep.equal([1, 2]);
    await one.resume();
    two.refuse();
    await (await open(url)).close();
    await (await open(url)).close();
    expect(connects()).to.deep.equal([3, 2]);
  });

  it('leaves time for the second when the first says nothing', async () => {
    one.stall();
    const startedAt = performance.now();
    await (await open(listUrl())).close();
    expect(performance.now() - startedAt).to.be.below(CONNECT_TIMEOUT_MS);
    expect(connects()).to.deep.equal([1, 1]);
  });

  it('keeps the deadline when none says anything', async () => {
    one.stall();
    two.stall();
    const startedAt = performance.now();
    const error = await refusalOf(listUrl());
    expect(performance.now() - startedAt).to.be.within(CONNECT_TIMEOUT_MS - 100, CONNECT_TIMEOUT_MS + 1000);
    expect(error.message).to.equal(
      `none of its servers can be used (127.0.0.1:${one.port}: timeout expired; 127.0.0.1:${two.port}: timeout expired)`,
    );
  });

  it('fails with one error that names them all, and the last one is its cause', async () => {
    one.refuse();
    two.refuse();
    const error = await refusalOf(listUrl());
    expect(error.message).to.contain(`127.0.0.1:${one.port}: connect ECONNREFUSED`);
    expect(error.cause).to.have.property('port', two.port);
  });

  it('lets a caller know what a server answered, though others are down', async () => {
    two.refuse();
    expect(sqlStateOf(await refusalOf(listUrl().withDatabase('no_such_database')))).to.equal(
      SqlState.invalidCatalogName,
    );
  });

  it('holds the server for away when none listens or is right, and not when a login takes too long', async () => {
    one.stall();
    two.stall();
    expect(isServerFailure(await refusalOf(listUrl())), 'it may be one database that is slow').to.equal(
      false,
    );
    one.refuse();
    two.refuse();
    expect(isServerFailure(await refusalOf(listUrl()))).to.equal(true);
    const standby = DatabaseUrl.parse(`${database.url}?target_session_attrs=standby`);
    expect(isServerFailure(await refusalOf(standby))).to.equal(true);
  });

  it('passes over servers that do not take writes when it asks for one that does', async () => {
    await setReadOnly('on');
    try {
      const error = await refusalOf(listUrl('read-write'));
      expect(error.message).to.equal(
        `none of its servers can be used (127.0.0.1:${one.port}: it is read-only; 127.0.0.1:${two.port}: it is read-only)`,
      );
      await until('both servers are left', () => one.open === 0 && two.open === 0);
      for (const target of ['read-only', 'primary', 'any']) await (await open(listUrl(target))).close();
    } finally {
      await setReadOnly('off');
    }
    await (await open(listUrl('read-write'))).close();
  });

  it('takes what there is when it would rather have a standby', async () => {
    await (await open(listUrl('prefer-standby'))).close();
    expect(connects()).to.deep.equal([2, 1]);
    await refusalOf(listUrl('standby'));
  });

  it('asks for a kind of server of a single one, too', async () => {
    const url = DatabaseUrl.parse(`${database.url}?target_session_attrs=standby`);
    expect((await refusalOf(url)).message).to.contain('it is no standby');
  });

  it('is good for making a database and for its migrations', async () => {
    one.refuse();
    const url = listUrl('read-write').withDatabase(`${database.name}_made`);
    await ensureDatabase(url);
    await ensureDatabase(url);
    const { applied } = await new Migrator(metadataMigrations).latest(url);
    expect(applied).to.not.be.empty;
    const admin = await open(DatabaseUrl.parse(database.url));
    await admin.execute(`drop database ${url.database} with (force)`);
    await admin.close();
  });

  it('a write that the server refuses as read-only is database_unavailable, and the next one gets a new connection', async () => {
    const { pool, connects: opened } = testPool(database.url);
    await on(pool).query(write('create table moves (id int)'));
    // What a session on a former primary is like.
    await on(pool).query(read(`select set_config('default_transaction_read_only', 'on', false)`));
    expect(await on(pool).query(read('select 1 as one'))).to.deep.equal([{ one: 1 }]);
    const before = opened();
    const error = await rejectionOf(on(pool).query(write('insert into moves values (1)')));
    expect(error).to.be.instanceOf(DatabaseConnectionError).with.property('code', 'database_unavailable');
    expect(opened()).to.equal(before);
    await on(pool).query(write('insert into moves values (2)'));
    expect(await on(pool).query(read('select id from moves'))).to.deep.equal([{ id: 2 }]);
    expect(opened()).to.equal(before + 1);
    await pool.close();
  });

  it('so is a transaction', async () => {
    const { pool, connects: opened } = testPool(database.url);
    const writing = on(pool).transaction(async (executor) => {
      await executor.query({ text: 'set transaction read only', values: [] });
      await executor.query({ text: 'create table never (id int)', values: [] });
    });
    expect(await rejectionOf(writing)).to.be.instanceOf(DatabaseConnectionError);
    await on(pool).query(write('create table ever (id int)'));
    expect(opened()).to.equal(2);
    await pool.close();
  });
});
