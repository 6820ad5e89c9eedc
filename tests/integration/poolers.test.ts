import { expect } from 'chai';
import { Client } from 'pg';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import { PooledSessionError, SqlState, sqlStateOf } from '../../infrastructure/postgres/postgres-errors.ts';
import { FIXED_SETTINGS } from '../../infrastructure/postgres/session-settings.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { HttpService } from '../support/http-service.ts';
import { needsProgram, startHaProxy, startPgBouncer, type MiddleProgram } from '../support/programs.ts';
import { ALL_JOBS } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';
import { testServer } from '../support/postgres-server.ts';

const JOB = { engine: 'vina', inputs: { ligand: 'l.pdbqt' } };

/** The deployment's environment, with all requests through the program. */
const through = (program: MiddleProgram, { environment }: Deployment): Record<string, string> => ({
  DB_DATABASE_URL: program.urlOf(environment['DB_DATABASE_URL'] ?? ''),
  DB_RESULTS_DB_TEMPLATE: program.urlOf(environment['DB_RESULTS_DB_TEMPLATE'] ?? ''),
});

describe('Behind PgBouncer', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let pooler: MiddleProgram;

  before(async function () {
    needsProgram(this, 'pgbouncer');
    deployment = await createDeployment({
      DB_ORG_ROLES: 'true',
      DB_ROLE_SECRET: 'a secret for roles that is long enough',
      DB_SPARES_MIN: '1',
      DB_SPARES_MAX: '1',
    });
  });
  after(() => deployment?.dispose());
  afterEach(() => pooler?.stop());

  const adminUrl = async (): Promise<string> => (await testServer()).url;

  it('in session mode, with an administrator’s URL of the server itself, first requests and all later ones are served', async () => {
    pooler = await startPgBouncer(await adminUrl(), 'session');
    const settings = { ...through(pooler, deployment), DB_ADMIN_URL: await adminUrl() };
    const service = await HttpService.running(deployment.start(settings));
    try {
      await deployment.register('alpha', 'beta', 'gamma');
      for (const id of ['alpha', 'beta', 'gamma']) {
        const member = service.as(deployment.token(id, ['member']));
        const made = await member.post<{ job_id: string }>('/jobs', JOB);
        expect(made.status, made.text).to.equal(201);
        const read = await member.get(`/jobs/${made.body.job_id}`);
        expect(read.status, read.text).to.equal(200);
      }
      const sessions = await deployment.administer<{ name: string }>(
        `select distinct regexp_replace(application_name, ' [0-9a-f]{16}$', '') as name from pg_stat_activity
         where datname = $1 or datname = 'postgres' and application_name like 'mad %'`,
        [deployment.databaseName('alpha')],
      );
      expect(sessions.map(({ name }) => name)).to.include.members(['mad results', 'mad presence']);
    } finally {
      await service.close();
    }
  });

  it('in session mode a session has the settings and deadlines that were asked for, also after a reset', async () => {
    pooler = await startPgBouncer(await adminUrl(), 'session');
    const connection = await PgConnection.open({
      url: DatabaseUrl.parse(pooler.urlOf(deployment.environment['DB_DATABASE_URL'] ?? '')),
      applicationName: 'test',
      connectTimeoutMs: 5000,
      throughPooler: true,
      deadlines: { statementTimeoutMs: 1234 },
    });
    const read = async () =>
      connection.query({
        text: `select current_setting('statement_timeout') as deadline, current_setting('TimeZone') as zone,
                 current_setting('default_transaction_isolation') as isolation`,
        values: [],
      });
    const asked = [{ deadline: '1234ms', zone: 'UTC', isolation: 'read committed' }];
    try {
      expect(await read()).to.deep.equal(asked);
      await connection.execute(`set statement_timeout = 0; set timezone = 'Asia/Kathmandu'`);
      await connection.reset();
      expect(await read()).to.deep.equal(asked);
    } finally {
      await connection.close();
    }
  });

  it('in session mode a statement is cancelled', async () => {
    pooler = await startPgBouncer(await adminUrl(), 'session');
    const connection = await PgConnection.open({
      url: DatabaseUrl.parse(pooler.urlOf(deployment.environment['DB_DATABASE_URL'] ?? '')),
      applicationName: 'cancelled behind a pooler',
      connectTimeoutMs: 5000,
      throughPooler: true,
    });
    const sleeping = rejectionOf(connection.query({ text: 'select pg_sleep(30)', values: [] }));
    await until('the statement runs', async () => {
      const rows = await deployment.administer(
        `select from pg_stat_activity where application_name = 'cancelled behind a pooler' and wait_event = 'PgSleep'`,
      );
      return rows.length === 1;
    });
    connection.cancel();

    expect(sqlStateOf(await sleeping)).to.equal(SqlState.queryCanceled);
    await connection.close();
  });

  it('in session mode an organization’s role that gave its sessions no time is set right', async () => {
    pooler = await startPgBouncer(await adminUrl(), 'session');
    const settings = { ...through(pooler, deployment), DB_ADMIN_URL: await adminUrl() };
    const container = deployment.start(settings);
    await deployment.register('epsilon');
    const epsilon = organizationId('epsilon');
    await container.get(TOKENS.connectionManager).provision(epsilon);
    const record = await container.get(TOKENS.databaseLedger).find(epsilon);
    const { logins } = defaultServer(container);
    const { user: role, password } = logins?.loginFor(record?.stamp ?? '') ?? { user: '', password: '' };
    await deployment.administer(`alter role "${role}" set statement_timeout = 1`);
    // The pooler keeps the session that this began, and would hand it on with the role's settings.
    const url = new URL(pooler.urlOf(deployment.environment['DB_DATABASE_URL'] ?? ''));
    Object.assign(url, { username: role, password, pathname: `/${deployment.databaseName('epsilon')}` });
    const before = new Client({ connectionString: url.href });
    await before.connect();
    await before.end();
    const sessions = async (): Promise<readonly number[]> =>
      (
        await deployment.administer<{ pid: number }>(
          `select pid from pg_stat_activity where usename = $1 and state = 'idle'`,
          [role],
        )
      ).map(({ pid }) => pid);
    const kept = await sessions();
    expect(kept).not.to.be.empty;

    for (let count = 0; count < 5; count += 1) {
      const { database, release } = await deployment
        .start(settings)
        .get(TOKENS.connectionManager)
        .acquire(epsilon);
      try {
        await database.jobs.list(...ALL_JOBS);
      } finally {
        release();
      }
    }
    expect(await sessions()).not.to.include.members(kept);
  });

  it('in transaction mode nothing is started, and one line says why', async () => {
    pooler = await startPgBouncer(await adminUrl(), 'transaction');
    const settings = { ...through(pooler, deployment), DB_ADMIN_URL: await adminUrl() };
    const refusal = await rejectionOf(deployment.start(settings).get(TOKENS.service).start());

    expect(String(refusal)).to.match(
      /^Error: DB_DATABASE_URL holds [^\n]*pooler in transaction mode: session mode is needed \(docs\/poolers\.md\)\)$/,
    );
  });

  it('in transaction mode an organization’s database is not used, however requests reach the metadata', async () => {
    pooler = await startPgBouncer(await adminUrl(), 'transaction');
    const { DB_RESULTS_DB_TEMPLATE = '' } = through(pooler, deployment);
    const service = await HttpService.start(deployment, [], {
      DB_RESULTS_DB_TEMPLATE,
      DB_ADMIN_URL: await adminUrl(),
    });
    try {
      await deployment.register('delta');
      const reply = await service.as(deployment.token('delta', ['member'])).post('/jobs', JOB);
      expect(reply.status, reply.text).to.equal(503);
    } finally {
      await service.close();
      await deployment.stop();
    }
  });

  for (const mode of ['session', 'transaction'] as const) {
    it(`in ${mode} mode without an administrator’s URL nothing is started, and one line says what is missing`, async () => {
      pooler = await startPgBouncer(await adminUrl(), mode);
      const container = deployment.start(through(pooler, deployment));
      const refusal = await rejectionOf(container.get(TOKENS.service).start());

      expect(String(refusal)).to.match(
        /^Error: DB_DATABASE_URL holds [^\n]*DB_ADMIN_URL has to name the server/,
      );
      expect(String(refusal)).not.to.include(new URL(await adminUrl()).password);
    });
  }

  it('a pooler that takes every startup parameter is known by the number of its process', async () => {
    pooler = await startPgBouncer(await adminUrl(), 'session', Object.keys(FIXED_SETTINGS));
    const url = DatabaseUrl.parse(pooler.urlOf(deployment.environment['DB_DATABASE_URL'] ?? ''));
    const options = { url, applicationName: 'test', connectTimeoutMs: 5000 };

    const refusal = await rejectionOf(PgConnection.open(options));
    expect(refusal).to.have.property('cause').that.is.instanceOf(PooledSessionError);
    expect(refusal).to.not.have.nested.property('cause.cause');
  });
});

describe('Behind HAProxy in TCP mode', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let proxy: MiddleProgram;

  before(async function () {
    needsProgram(this, 'haproxy');
    deployment = await createDeployment();
    proxy = await startHaProxy((await testServer()).url);
  });
  after(async () => {
    await deployment?.dispose();
    await proxy?.stop();
  });

  it('all is as without it: the service starts, makes databases and serves them', async () => {
    const service = await HttpService.running(deployment.start(through(proxy, deployment)));
    try {
      await deployment.register('alpha');
      const member = service.as(deployment.token('alpha', ['member']));
      const made = await member.post('/jobs', JOB);
      expect(made.status, made.text).to.equal(201);
      expect((await member.get('/jobs')).status).to.equal(200);
    } finally {
      await service.close();
    }
  });
});
