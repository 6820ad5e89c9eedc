import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Client } from 'pg';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import { DatabaseInUseError, DatabaseSessions } from '../../infrastructure/servers/database-sessions.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { createdDatabases, watchAdminStatements } from '../support/provisioning-steps.ts';
import { openTransaction } from '../support/server-faults.ts';
import { defaultServer } from '../support/servers.ts';

const ACME = organizationId('acme');
const PASSWORD = 'a password of the test';

describe('the sessions that are in a database', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  const clients: Client[] = [];

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme');
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
    await deployment.dispose();
  });

  const urlOf = (databaseName: string): DatabaseUrl =>
    DatabaseUrl.parse(deployment.environment['DB_DATABASE_URL'] ?? '').withDatabase(databaseName);
  /** A session of the server's superuser, unless a login is given. */
  const session = (url: DatabaseUrl): Client => {
    const client = new Client(url.toString());
    client.on('error', () => undefined); // it is ended
    clients.push(client);
    return client;
  };
  const newLogin = async (rights: string): Promise<string> => {
    const login = deployment.databaseName(`login-${rights.replaceAll(' ', '-')}`);
    await deployment.administer(`create role "${login}" login password '${PASSWORD}' ${rights}`);
    return login;
  };

  /**
   * Has a session log in that stands still after the server has found that its database takes connections, and before the
   * server lists it there; then does `work`.
   */
  const whileLoggingIn = async (
    databaseName: string,
    work: () => Promise<void>,
    url = urlOf(databaseName),
  ): Promise<unknown> => {
    const gate = await openTransaction(
      deployment,
      'postgres',
      'lock table pg_db_role_setting in access exclusive mode',
    );
    try {
      const arriving = session(url).connect();
      arriving.catch(() => undefined); // looked at below
      const watcher = watchers[0];
      await until('it logs in', async () => {
        const { rows } = (await watcher?.query(
          `select from pg_locks l join pg_database d on d.oid = l.objid join pg_locks gate using (pid)
           where d.datname = $1 and l.classid = 'pg_database'::regclass and l.mode = 'RowExclusiveLock' and l.granted
             and gate.relation = 'pg_db_role_setting'::regclass and not gate.granted`,
          [databaseName],
        )) ?? { rows: [] };
        return rows.length > 0;
      });
      await work();
      return arriving;
    } finally {
      await gate.rollBack();
    }
  };
  /** Logged in before the gate closes. */
  const watchers: Client[] = [];
  beforeEach(async () => {
    const watcher = session(urlOf('postgres'));
    await watcher.connect();
    watchers.splice(0, 1, watcher);
  });

  it('are ended before a database is put aside, one that is logging in and not listed yet included', async () => {
    const container = deployment.start();
    const statements = watchAdminStatements(container);
    await container.get(TOKENS.connectionManager).provision(ACME);
    const name = deployment.databaseName('acme');
    const aside = `${name}.aside`;
    const listed = session(urlOf(name));
    await listed.connect();
    const { admin } = defaultServer(container);
    const arriving = whileLoggingIn(name, async () => {
      await admin.exclusively(name, (own) => own.quarantine(name, aside));
    });
    expect(await rejectionOf(arriving)).to.have.property('code', '57P01');
    expect(await rejectionOf(listed.query('select'))).to.be.an('error');
    expect(await deployment.databases()).to.include(aside);
    expect(statements.filter(({ sqlState }) => sqlState === '55006')).to.be.empty;
  });

  it('are ended when their right to be there is taken away, one included of which the server does not tell yet whose it is', async () => {
    const login = await newLogin('');
    const name = deployment.databaseName('given').replace('_r_', '_r.');
    await deployment.administer(`create database "${name}" template template0`);
    const { admin } = defaultServer(deployment.start());
    // Its session is there before the gate closes.
    await admin.exclusively(name, () => Promise.resolve());
    let restricting: Promise<void> | undefined;
    const arriving = whileLoggingIn(
      name,
      async () => {
        restricting = admin.exclusively(name, (own) => own.restrict(name, 'a stamp'));
        await until('nobody else may come in', async () => {
          const { rows } = (await watchers[0]?.query(
            `select from pg_database where datname = $1 and not has_database_privilege('public', oid, 'connect')`,
            [name],
          )) ?? { rows: [] };
          return rows.length > 0;
        });
        // Long enough for a look at who is there.
        await sleep(100);
      },
      urlOf(name).withCredentials(login, PASSWORD),
    );
    await arriving.catch(() => undefined); // it may be ended before it is in
    await restricting;
    const left = await deployment.administer(
      'select from pg_stat_activity where datname = $1 and usename = $2',
      [name, login],
    );
    expect(left).to.be.empty;
  });

  it('are waited for while they are at work, where a copy is made of a database in service', async () => {
    const container = deployment.start();
    const statements = watchAdminStatements(container);
    const manager = container.get(TOKENS.connectionManager);
    await manager.provision(ACME);
    const name = deployment.databaseName('acme');
    const copy = `${name}.copy`;
    const working = await openTransaction(deployment, name, 'select 1');
    const copying = defaultServer(container).admin.exclusively(name, (own) => own.copy(name, copy));
    const watcher = watchers[0];
    await until('it looks who is there', async () => {
      const { rows } = (await watcher?.query(
        `select from pg_stat_activity where application_name = 'mad admin' and query like '%pg_prepared_xact()%'
           and strpos(query, $1) > 0`,
        [name],
      )) ?? { rows: [] };
      return rows.length > 0;
    });
    // Nobody's login waits meanwhile, as it would for a server that was asked.
    await session(urlOf(name)).connect();
    expect(createdDatabases(statements).filter((text) => text.includes(copy))).to.be.empty;
    await working.commit();
    await copying;
    expect(statements.filter(({ sqlState }) => sqlState === '55006')).to.be.empty;
    expect(await deployment.databases()).to.include(copy);
  });

  it('are named where the login may not end them', async () => {
    const login = await newLogin('createdb');
    const limited = await PgConnection.open({
      url: urlOf('postgres').withCredentials(login, PASSWORD),
      applicationName: 'test',
      connectTimeoutMs: 5000,
    });
    const name = deployment.databaseName('owned').replace('_r_', '_r.');
    try {
      await limited.execute(`create database "${name}"`);
      const other = session(urlOf(name));
      await other.connect();
      const { rows } = await other.query<{ pid: number; user: string }>(
        'select pg_backend_pid() as pid, current_user as user',
      );
      const [{ pid, user } = { pid: 0, user: '' }] = rows;
      const sessions = new DatabaseSessions(limited, 50);
      let asked = false;
      const error = await rejectionOf(
        sessions.whenEmpty(name, 'all', async () => {
          asked = true;
        }),
      );
      expect(error).to.be.instanceOf(DatabaseInUseError);
      expect(String(error)).to.include(`by "${user}" (process ${pid}`);
      expect(asked).to.equal(false);
    } finally {
      await limited.close();
    }
  });

  it('are of roles that a login has made, which it may end without being a superuser', async () => {
    const login = await newLogin('createdb createrole');
    const template = DatabaseUrl.parse(deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? '');
    const container = deployment.start({
      DB_RESULTS_DB_TEMPLATE: template.withCredentials(login, PASSWORD).toString(),
      DB_ORG_ROLES: 'true',
      DB_ROLE_SECRET: 'a secret for roles that is long enough',
    });
    const manager = container.get(TOKENS.connectionManager);
    const { release } = await manager.acquire(ACME);
    release();
    const name = deployment.databaseName('acme');
    const record = await container.get(TOKENS.databaseLedger).find(ACME);
    const server = defaultServer(container);
    const { user, password } = server.logins?.loginFor(record?.stamp ?? '') ?? { user: '', password: '' };
    const own = session(server.urlFor(name).withCredentials(user, password));
    await own.connect();
    await own.query('begin');
    await server.admin.exclusively(name, (admin) => admin.drop(name));
    expect(await deployment.databases()).not.to.include(name);
    expect(await rejectionOf(own.query('select'))).to.be.an('error');
  });
});
