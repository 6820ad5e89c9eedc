import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Container } from 'inversify';
import { Client } from 'pg';
import { relayOutbox, RELAY_TURN } from '../../application/audit/relay-outbox.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { OutageLogger } from '../../infrastructure/background/outage-logger.ts';
import type { Login } from '../../infrastructure/servers/organization-logins.ts';
import { captureLog } from '../support/captured-log.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf } from '../support/gate.ts';
import { hookProvisioning } from '../support/provisioning-steps.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';
import { FakeLogger } from '../support/fakes/fake-logger.ts';

const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];
const ROLES = { DB_ORG_ROLES: 'true', DB_ROLE_SECRET: 'a secret for roles that is long enough' };

describe("an organization's own role, in the hands of an attacker", function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let container: Container;
  let login: Login;
  const clients: Client[] = [];

  beforeEach(async () => {
    deployment = await createDeployment({
      ...ROLES,
      DB_CONNECTION_BUDGET: '8',
      DB_ORG_POOL_SIZE: '3',
      DB_ORG_MAX_OVERFLOW: '0',
    });
    await deployment.register(ACME, BETA);
    container = deployment.start();
    await container.get(TOKENS.connectionManager).provision(ACME);
    login = await loginOf(ACME);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
    await deployment.dispose();
  });

  const loginOf = async (id: OrganizationId): Promise<Login> => {
    const record = await container.get(TOKENS.databaseLedger).find(id);
    return defaultServer(container).logins?.loginFor(record?.stamp ?? '') ?? { user: '', password: '' };
  };
  const connect = async (databaseName: string, { user, password } = login): Promise<Client> => {
    const url = defaultServer(container).urlFor(databaseName).withCredentials(user, password);
    const client = new Client(url.toString());
    client.on('error', () => undefined); // the service may end it
    try {
      await client.connect();
    } catch (error) {
      await client.end();
      throw error;
    }
    clients.push(client);
    return client;
  };
  const own = (): Promise<Client> => connect(deployment.databaseName('acme'));
  /** In a process that has no connection yet. */
  const addJob = async (id: OrganizationId, process = deployment.start()): Promise<number> => {
    const { database, release } = await process.get(TOKENS.connectionManager).acquire(id);
    try {
      await database.jobs.insert(sampleJob());
      return (await database.jobs.list(...ALL_JOBS)).items.length;
    } finally {
      release();
    }
  };

  it('may have as many connections as the configuration gives it now, and not when its database was made', async () => {
    const process = deployment.start({
      DB_CONNECTION_BUDGET: '40',
      DB_ORG_POOL_SIZE: '12',
      DB_ACQUIRE_TIMEOUT_MS: '3000',
    });
    const { database, release } = await process.get(TOKENS.connectionManager).acquire(ACME);
    const all = new Gate();
    let inside = 0;
    const work = () =>
      database.transaction(async ({ jobs }) => {
        await jobs.list(...ALL_JOBS);
        inside += 1;
        if (inside === 12) all.open();
        await all.opened;
      });
    try {
      await Promise.all(Array.from({ length: 12 }, work));
    } finally {
      all.open();
      release();
    }
    expect(inside).to.equal(12);
  });

  it('holds up nobody by the locks that the service takes: those are where it cannot come', async () => {
    const attacker = await connect('postgres');
    const spare = `role ${(await container.get(TOKENS.databaseLedger).find(ACME))?.stamp}`;
    const { databaseName: template } = await defaultServer(container).template.ready();
    for (const name of [deployment.databaseName('beta'), template, spare, 'reconcile', 'spare databases'])
      await attacker.query('select pg_advisory_lock(hashtextextended($1, 0))', [name]);
    const other = deployment.start({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' });
    expect(await addJob(BETA, other)).to.equal(1);
    await other.get(TOKENS.spareKeeper).refill();
    expect((await deployment.databases()).filter((name) => name.startsWith('spare.'))).to.have.length(1);
    const report = await other.get(TOKENS.reconcileDatabases)({ dryRun: true, quarantineForeign: false });
    expect(report).to.deep.equal({ findings: [], unreachable: [] });

    const closed = await rejectionOf(connect(defaultServer(container).names.administration));
    expect(closed).to.have.property('code', '42501');
  });

  for (const [waited, limits, code] of [
    ['for the lock', { statementMs: 600_000, lockMs: 500, idleMs: 60_000 }, '55P03'],
    ['in all', { statementMs: 500, lockMs: 600_000, idleMs: 60_000 }, '57014'],
  ] as const)
    it(`keeps the relay of its entries no longer than the service wants, ${waited}, whatever its settings are`, async () => {
      await deployment.administer(
        `insert into settings (org_id, settings) values ($1, '{"statement_timeout_ms": 3600000, "lock_timeout_ms": 3600000}')`,
        [ACME],
        deployment.metadataDatabase,
      );
      const process = deployment.start();
      const relay = relayOutbox({
        databases: process.get(TOKENS.connectionManager),
        backlog: process.get(TOKENS.auditBacklog),
        logger: process.get(TOKENS.logger),
        now: Date.now,
        turn: { ...RELAY_TURN, limits },
      });
      await process.get(TOKENS.changeFeed).start();
      expect(process.get(TOKENS.organizationPolicies).policyOf(ACME)).to.include({
        lockTimeoutMs: 3_600_000,
      });
      await addJob(ACME, process);
      expect((await relay(ACME)).count).to.equal(1);
      await addJob(ACME, process);
      const attacker = await own();
      await attacker.query('begin; lock table audit_outbox in access exclusive mode');
      for (let n = 0; n < 2; n += 1)
        expect(await rejectionOf(relay(ACME))).to.have.nested.property('cause.code', code);
      await attacker.query('rollback');
      expect(await relay(ACME), 'the entry is kept').to.deep.equal({ count: 1, hasMore: false });
      await process.get(TOKENS.changeFeed).close();
    }).timeout(10_000);

  it('is never let into a database that is being made for another: its session would stay there', async () => {
    const refusals: unknown[] = [];
    const other = deployment.start();
    hookProvisioning(other, async (step, proceed, name) => {
      await proceed();
      if (step === 'clone' || step === 'restrict' || step === 'build template')
        refusals.push(await rejectionOf(connect(name)));
    });
    expect(await addJob(BETA, other)).to.equal(1);
    expect(refusals).to.have.length(2);
    for (const refusal of refusals)
      expect(refusal).to.have.property('code').that.is.oneOf(['42501', '55000']);
  });

  it('changes its password, and the service sets it again', async () => {
    await (await own()).query(`alter role current_user password 'mine'`);
    const process = deployment.start();
    const log = captureLog(process);
    expect(await addJob(ACME, process)).to.equal(1);
    const told = log.filter(({ message }) => /had changed its own password/.test(message));
    expect(told).to.have.length(1);
    expect(told[0]?.fields).to.include({ org_id: ACME });
    // Of outages the log only says how many failures there were: this is not one of them.
    const heard = new FakeLogger();
    const logger = new OutageLogger(heard);
    // The fields that the service itself gave this event.
    for (const { event, fields } of told) logger.write(event, fields as never);
    expect(heard.said).to.deep.equal(told.map(({ message }) => message));
    expect(await addJob(ACME)).to.equal(2);
    const stolen = await rejectionOf(
      connect(deployment.databaseName('acme'), { ...login, password: 'mine' }),
    );
    expect(stolen).to.have.property('code', '28P01');
  });

  it('has no password from a secret that the process does not know: the role stays as it is', async () => {
    const stranger = deployment.start({ DB_ROLE_SECRET: 'another secret for roles, as long as that' });
    const refused = await rejectionOf(addJob(ACME, stranger));
    expect(refused).to.have.property('code', 'database_unavailable');
    expect(await addJob(ACME)).to.equal(1);
  });

  for (const setting of [
    'set default_transaction_read_only = on',
    'set search_path = nowhere',
    'set statement_timeout = 1',
    'set idle_session_timeout = 1',
    'set transaction_timeout = 1',
    `set local_preload_libraries = 'nothing'`,
    'set role = "GROUP"',
    'in database "OWN" set default_transaction_isolation = serializable',
  ]) {
    it(`gives itself a setting, and the service takes it away: ${setting}`, async () => {
      const { names } = defaultServer(container);
      const statement = setting
        .replace('GROUP', names.groupRole)
        .replace('OWN', deployment.databaseName('acme'));
      // Older servers do not know every one of them.
      await (await own()).query(`alter role current_user ${statement}`).catch((error: unknown) => {
        expect(error).to.have.property('code', '42704');
      });
      expect(await addJob(ACME)).to.equal(1);
      const left = await deployment.administer(
        'select from pg_db_role_setting s join pg_roles r on r.oid = s.setrole where r.rolname = $1',
        [login.user],
      );
      expect(left).to.be.empty;
    });
  }

  it('takes all the connections that it may have, and the others have theirs', async () => {
    let refusal: unknown = null;
    while (refusal === null && clients.length < 20)
      await own().catch((error: unknown) => {
        refusal = error;
      });
    expect(refusal).to.have.property('code', '53300');
    // Half of the budget, as one process gives its organization less, and three that may be ending.
    expect(clients).to.have.length(7);
    const process = deployment.start();
    expect(await rejectionOf(addJob(ACME, process))).to.have.property('code', 'database_unavailable');
    expect(await addJob(BETA, process)).to.equal(1);
    expect(defaultServer(process).isAvailable).to.equal(true);
  });

  it('takes most of the connections that it may have, and requests wait for those that their process has', async () => {
    const process = deployment.start();
    expect(await addJob(ACME, process)).to.equal(1);
    // Of seven, the process has one, and may have another.
    for (let count = 0; count < 5; count += 1) await own();
    const { database, release } = await process.get(TOKENS.connectionManager).acquire(ACME);
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    try {
      const long = Array.from({ length: 2 }, () => database.transaction(() => ended));
      const waiting = Array.from({ length: 3 }, () => database.jobs.list(...ALL_JOBS));
      const answers = Promise.all(waiting);
      answers.catch(() => undefined); // looked at below
      // Long enough for a login that is refused.
      await sleep(200);
      end();
      await Promise.all(long);
      for (const { items } of await answers) expect(items).to.have.length(1);
    } finally {
      end();
      release();
    }
  });

  it('makes no tables, functions or large objects in its own database', async () => {
    const client = await own();
    for (const statement of [
      'create table loot (id int)',
      'create temp table loot (id int)',
      `create function loot() returns int language sql as 'select 1'`,
      'select lo_create(0)',
      `select lo_from_bytea(0, 'loot')`,
    ])
      expect(await rejectionOf(client.query(statement)), statement).to.have.property('code', '42501');
  });
});
