import { expect } from 'chai';
import type { Container } from 'inversify';
import { Client } from 'pg';
import { DatabaseProvisioningError } from '../../domain/exceptions.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { DatabaseConnectionManager } from '../../infrastructure/routing/database-connection-manager.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import type { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import { OpenSessions } from '../../infrastructure/servers/open-sessions.ts';
import { ServerConnector } from '../../infrastructure/servers/server-connector.ts';
import { replaceManager } from '../support/custom-manager.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import { testServer } from '../support/postgres-server.ts';
import { hookProvisioning } from '../support/provisioning-steps.ts';
import { ALL_JOBS } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';
import { startTcpProxy, throughProxies } from '../support/tcp-proxy.ts';

const ACME = organizationId('acme');
/** Longer than a login takes on a busy machine. */
const IMPATIENT_MS = 1000;
const WITH_ROLES = { DB_ORG_ROLES: 'true', DB_ROLE_SECRET: 'a secret for roles that is long enough' };

describe('the first login to a spare', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let container: Container;
  let manager: DatabaseConnectionManager | null;
  let logins: Promise<PgConnection>[];

  beforeEach(async () => {
    deployment = await createDeployment(WITH_ROLES);
    await deployment.register('acme');
    await deployment.start({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' }).get(TOKENS.spareKeeper).refill();
    container = deployment.start();
    manager = null;
    logins = [];
  });
  afterEach(() => deployment.dispose());

  /** A manager that keeps its logins; made once, after what is to be watched is. */
  const ownManager = (): DatabaseConnectionManager => {
    const server = defaultServer(container);
    const connect: typeof server.connect = (...values) => {
      const login = server.connect(...values);
      logins.push(login);
      return login;
    };
    manager ??= replaceManager(container, {}, { connect });
    return manager;
  };
  const use = async (): Promise<number> => {
    const { database, release } = await ownManager().acquire(ACME);
    try {
      return (await database.jobs.list(...ALL_JOBS)).items.length;
    } finally {
      release();
    }
  };

  it('begins before the database has its name, and serves nobody before the ledger knows it as ready', async () => {
    const gates = { adopt: new Gate(), complete: new Gate() };
    hookProvisioning(container, async (step, proceed) => {
      if (step === 'adopt' || step === 'complete') await gates[step].pass();
      await proceed();
    });
    let served = false;
    const using = use().finally(() => {
      served = true;
    });
    try {
      await gates.adopt.reached;
      await until('the login has begun', () => logins.length > 0);
      expect(await deployment.databases()).to.not.include(deployment.databaseName('acme'));
      gates.adopt.open();
      await gates.complete.reached;
      await logins[0];
      // Longer than the first query takes on a connection that is there.
      for (let index = 0; index < 3; index += 1) await deployment.administer('select');
      expect(served).to.equal(false);
    } finally {
      for (const gate of Object.values(gates)) gate.open();
      await using;
    }
    expect(logins, 'the first query used that login').to.have.length(1);
  });

  it('begins before the name of the database is free to work under', async () => {
    const { names } = defaultServer(container);
    const other = new Client(
      DatabaseUrl.parse((await testServer()).url)
        .withDatabase(names.administration)
        .toString(),
    );
    await other.connect();
    try {
      await other.query('select pg_advisory_lock(hashtextextended($1, 0))', [
        deployment.databaseName('acme'),
      ]);
      const using = use();
      await until('the login has begun', () => logins.length > 0);
      expect(await deployment.databases()).to.not.include(deployment.databaseName('acme'));
      await other.query('select pg_advisory_unlock_all()');
      expect(await using).to.equal(0);
      expect(logins, 'the first query used that login').to.have.length(1);
    } finally {
      await other.end();
    }
  });

  it('waits for the database that is cloned in place of a spare that was gone', async () => {
    const [spare] = await deployment.administer<{ database_name: string }>(
      'select database_name from spare_databases',
      [],
      deployment.metadataDatabase,
    );
    await deployment.administer(`drop database "${spare?.database_name}"`);
    const cloning = new Gate();
    hookProvisioning(container, async (step, proceed) => {
      if (step === 'clone') await cloning.pass();
      await proceed();
    });
    const using = use();
    try {
      await cloning.reached;
      await until('the login has begun', () => logins.length > 0);
    } finally {
      cloning.open();
    }
    expect(await using).to.equal(0);
    expect(await use()).to.equal(0);
    expect(logins, 'that login ended in the clone').to.have.length(1);
    expect(ownManager().counts()).to.include({ pools: 1, connections: 1 });
    expect(defaultServer(container).breaker).to.include({ state: 'closed', isFailing: false });
  });

  it('waits for the second attempt when the template of the first one was gone as well', async () => {
    const { databaseName } = await defaultServer(container).template.ready();
    const [spare] = await deployment.administer<{ database_name: string }>(
      'select database_name from spare_databases',
      [],
      deployment.metadataDatabase,
    );
    for (const name of [spare?.database_name, databaseName])
      await deployment.administer(`drop database "${name}"`);
    expect(await use()).to.equal(0);
    expect(await use()).to.equal(0);
    expect(ownManager().counts()).to.include({ pools: 1, connections: 1 });
  });

  it('that has to wait for longer than a login may is begun again, and held against nobody', async () => {
    const own = deployment.start();
    const gate = new Gate();
    hookProvisioning(own, async (step, proceed) => {
      if (step === 'adopt') await gate.pass();
      await proceed();
    });
    // Sees the logins of organizations alone, and when one is given up.
    const proxy = await startTcpProxy(deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? '');
    const { database } = deployment.start(throughProxies(deployment, { results: proxy })).get(TOKENS.config);
    const impatient = new ServerConnector({
      ...database,
      ...database.servers[0],
      logins: defaultServer(own).logins,
      connectTimeoutMs: IMPATIENT_MS,
      instanceId: own.get(TOKENS.instanceId),
      adminStatements: null,
      sessions: new OpenSessions(),
      refusal: () => null,
      restoreRole: async () => false,
      raiseConnectionLimit: async () => false,
      onServerError: () => undefined,
      logger: own.get(TOKENS.logger),
    });
    let logInCalls = 0;
    const patient = replaceManager(
      own,
      {},
      {
        connect: (...values) => {
          logInCalls += 1;
          return impatient.toOrganization(...values);
        },
      },
    );
    try {
      const using = patient
        .acquire(ACME)
        .then(
          async ({ database: results, release }) =>
            (await results.jobs.list(...ALL_JOBS).finally(release)).items,
        );
      await gate.reached;
      await until('a login has begun', () => proxy.connects === 1);
      await until('it was given up', () => proxy.open === 0);
      gate.open();
      expect(await using).to.be.empty;
      expect(proxy.connects, 'it was begun again').to.equal(2);
    } finally {
      gate.open();
      await patient.closeAll();
      proxy.close();
    }
    expect(logInCalls, 'attempts that the pool heard of').to.equal(1);
    expect(defaultServer(own).breaker).to.include({ state: 'closed', isFailing: false });
  });

  it('leaves no connection when the ledger could not be told', async () => {
    let failures = 0;
    hookProvisioning(container, (step, proceed) => {
      if (step !== 'complete' || failures > 0) return proceed();
      failures += 1;
      throw new Error('out of luck');
    });
    expect(await rejectionOf(use())).to.be.instanceOf(DatabaseProvisioningError);
    expect(logins).to.have.length(1);
    expect(ownManager().counts()).to.include({ pools: 0, connections: 0 });
    expect(await use()).to.equal(0);
  });
});
