import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { listen } from '../../infrastructure/http-server/http-server.ts';
import { startChildService } from '../support/child-service.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, until } from '../support/gate.ts';
import {
  createdDatabases,
  hookProvisioning,
  watchAdminStatements,
  type AdminStatement,
} from '../support/provisioning-steps.ts';
import { openTransaction } from '../support/server-faults.ts';
import { ALL_JOBS } from '../support/sample-job.ts';
import { defaultServer, overrideServers } from '../support/servers.ts';

const ACME = organizationId('acme');

describe('provisioning at first use', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme', 'beta');
  });
  afterEach(() => deployment.dispose());

  /** Databases apart from the template. */
  const made = async (): Promise<readonly string[]> =>
    (await deployment.databases()).filter((name) => !name.includes('template.'));

  it('100-concurrent-first-requests-create-one-database', async () => {
    const container = deployment.start();
    const statements = watchAdminStatements(container);
    const manager = container.get(TOKENS.connectionManager);

    const leases = await Promise.all(Array.from({ length: 100 }, () => manager.acquire(ACME)));
    const answers = await Promise.all(leases.map(({ database }) => database.jobs.list(...ALL_JOBS)));
    for (const lease of leases) lease.release();

    expect(answers).to.have.length(100);
    expect(createdDatabases(statements)).to.have.length(1);
    expect(await made()).to.deep.equal([deployment.databaseName('acme')]);
  });

  it('counts every CREATE, so that the test above can fail', async () => {
    const container = deployment.start();
    const statements = watchAdminStatements(container);
    const server = defaultServer(container);
    const { databaseName } = await server.template.ready();
    const prefix = deployment.databaseName('naive');
    await server.exclusively('naive', async (session) => {
      for (const suffix of ['1', '2']) await session.clone(databaseName, `${prefix}${suffix}`);
    });
    expect(createdDatabases(statements)).to.have.length(2);
    await container.get(TOKENS.connectionManager).closeAll();
  });

  it('two-processes-first-access-create-one-database', async () => {
    const children = await Promise.all([
      startChildService(deployment.environment),
      startChildService(deployment.environment),
    ]);
    try {
      const answers = await Promise.all(
        children.flatMap((child) =>
          Array.from({ length: 20 }, () =>
            child.call({ do: 'write', organizationId: 'acme', submittedBy: `process ${child.pid}` }),
          ),
        ),
      );
      expect(new Set(answers).size).to.equal(40);
      const created = await Promise.all(children.map((child) => child.call({ do: 'created' })));
      expect(created.flat()).to.have.length(1);
      expect(await made()).to.deep.equal([deployment.databaseName('acme')]);
      expect(await children[0].call({ do: 'read', organizationId: 'acme' })).to.equal(40);
    } finally {
      await Promise.all(children.map((child) => child.stop()));
    }
  });

  it('serves both processes when one arrives while the other is in the middle of it', async () => {
    const child = await startChildService(deployment.environment, { step: 'adopt', moment: 'before' });
    try {
      const first = child.call({ do: 'read', organizationId: 'acme' });
      await child.atGate;
      const container = deployment.start();
      const statements = watchAdminStatements(container);
      let asked = Infinity;
      overrideServers(container, (server) => ({
        exclusively: (name, ...values) => {
          if (name === deployment.databaseName('acme')) asked = statements.length;
          return server.exclusively(name, ...values);
        },
      }));
      await defaultServer(container).template.ready();
      const second = container.get(TOKENS.connectionManager).acquire(ACME);
      // Each refusal of the lock ends with a session that is made clean again.
      await until('the second process waits for its turn', () => statements.length > asked + 1);
      await child.call({ do: 'open gate' });
      (await second).release();
      expect(await first).to.equal(0);
      expect(createdDatabases(statements)).to.be.empty;
      expect(await made()).to.deep.equal([deployment.databaseName('acme')]);
    } finally {
      await child.stop();
    }
  });

  describe('somebody else creates the same database', () => {
    /** A CREATE of somebody who does not take the lock. */
    const createElsewhere = (template: string, name: string): Promise<unknown> =>
      deployment.administer(`create database "${name}" template "${template}"`);

    /** Has somebody take the name who commits only when we wait for that. */
    const takeNameMeanwhile = async (
      template: string,
      name: string,
      proceed: () => Promise<void>,
    ): Promise<void> => {
      const unnamed = deployment.databaseName('unnamed');
      await createElsewhere(template, unnamed);
      const other = await openTransaction(
        deployment,
        'postgres',
        `alter database "${unnamed}" rename to "${name}"`,
      );
      const clone = proceed();
      await until('ours waits for the other one', async () => {
        const waiting = await deployment.administer(
          `select from pg_stat_activity
           where wait_event = 'transactionid' and starts_with(query, 'create database') and strpos(query, $1) > 0`,
          [name],
        );
        return waiting.length > 0;
      });
      await other.commit();
      await clone;
    };

    const sqlStates = (statements: readonly AdminStatement[]): readonly (string | null)[] =>
      statements.filter(({ text }) => text.includes(' template ')).map(({ sqlState }) => sqlState);

    it('loser-of-create-race-gets-42P04-or-23505-and-still-serves', async () => {
      const container = deployment.start();
      const statements = watchAdminStatements(container);
      let template = '';
      let others = 0;
      hookProvisioning(container, async (step, proceed, name) => {
        if (step !== 'clone') return proceed();
        others += 1;
        // It is being made: 23505, for the catalogue does not show what is not committed.
        if (others > 1) return takeNameMeanwhile(template, name, proceed);
        // It stands there: 42P04.
        await createElsewhere(template, name);
        return proceed();
      });
      ({ databaseName: template } = await defaultServer(container).template.ready());

      const manager = container.get(TOKENS.connectionManager);
      for (const id of ['acme', 'beta']) {
        const { database, release } = await manager.acquire(organizationId(id));
        expect((await database.jobs.list(...ALL_JOBS)).items).to.be.empty;
        release();
      }
      expect(sqlStates(statements)).to.deep.equal(['42P04', '23505']);
      expect(await made()).to.deep.equal([deployment.databaseName('acme'), deployment.databaseName('beta')]);
    });
  });

  it('request-cancelled-during-provision-does-not-cancel-it-for-others', async () => {
    const container = deployment.start();
    const gate = new Gate();
    hookProvisioning(container, async (step, proceed) => {
      if (step === 'adopt') await gate.pass();
      await proceed();
    });
    const manager = container.get(TOKENS.connectionManager);
    const server = await listen(deployment.app(container), '127.0.0.1', 0);
    try {
      const cancellation = new AbortController();
      const ask = (signal: AbortSignal | null): Promise<Response> =>
        fetch(`${server.url}/jobs`, {
          headers: { authorization: `Bearer ${deployment.token('acme', ['member'])}` },
          signal,
        });
      const first = ask(cancellation.signal).then(
        () => 'answered',
        () => 'cancelled',
      );
      await gate.reached;
      const others = [ask(null), ask(null)];
      await until('the others wait, too', () => manager.counts().leases === 3);
      cancellation.abort();
      expect(await first).to.equal('cancelled');
      gate.open();
      expect((await Promise.all(others)).map(({ status }) => status)).to.deep.equal([200, 200]);
      await until('the lease of the cancelled request is back', () => manager.counts().leases === 0);
    } finally {
      server.closeNow();
      await server.close();
    }
  });
});
