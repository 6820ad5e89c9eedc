import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import type { Reply } from '../support/send.ts';
import { lockTable } from '../support/server-faults.ts';

const REQUESTS = 6;

describe('Quotas and deadlines of an organization', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let services: HttpService[];

  before(async () => {
    deployment = await createDeployment({ DB_ORG_POOL_SIZE: '2', DB_ORG_MAX_OVERFLOW: '2' });
    await deployment.register('alpha', 'beta');
    services = await Promise.all([0, 1].map(() => HttpService.start(deployment, ['alpha', 'beta'])));
  });
  after(async () => {
    for (const service of services) await service.close();
    await deployment.dispose();
  });

  const settle = async (settings: object): Promise<void> => {
    const administrator = services[0]?.as(deployment.token('alpha', ['org_admin']));
    expect((await administrator?.put('/organizations/alpha/settings', { settings }))?.status).to.equal(200);
    await until('every process knows', () =>
      services.every(({ container }) => {
        const policy = container.get(TOKENS.organizationPolicies).policyOf(organizationId('alpha'));
        return Object.keys(policy).length === Object.keys(settings).length;
      }),
    );
  };
  /** Requests that all stand still at a lock; what they are answered, and how many connections they hold meanwhile. */
  const stuck = async (
    service: HttpService,
    id: string,
    expected: number,
  ): Promise<{ open: number; answers: Promise<Reply<Problem>[]>; release(): Promise<void> }> => {
    const caller = service.as(deployment.token(id, ['member']));
    await caller.get('/jobs');
    const lock = await lockTable(deployment, deployment.databaseName(id), 'docking_jobs');
    const answers = Promise.all(Array.from({ length: REQUESTS }, () => caller.get<Problem>('/jobs')));
    const pool = () => service.container.get(TOKENS.connectionManager).peek(organizationId(id));
    await until(`they stand, on ${expected} connections`, () => {
      const { inUse = 0, waiting = 0, open = 0 } = pool() ?? {};
      return inUse + waiting === REQUESTS && open >= expected;
    });
    // Whatever a pool may open beyond that is opened within its patience.
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { open: pool()?.open ?? -1, answers, release: () => lock.release() };
  };

  it('are those of the configuration until the organization has its own', async () => {
    for (const service of services) {
      const { open, answers, release } = await stuck(service, 'alpha', 4);
      expect(open).to.equal(4);
      await release();
      for (const { status } of await answers) expect(status).to.equal(200);
    }
  });

  it('count in every process as soon as they are set, on pools that are open already, and for nobody else', async () => {
    await settle({ max_connections: 1, lock_timeout_ms: 300 });
    for (const service of services) {
      const { open, answers, release } = await stuck(service, 'alpha', 1);
      expect(open, 'one connection').to.equal(1);
      // One after the other gives up its wait for the lock, long before the configured ten seconds.
      for (const { status, body } of await answers)
        expect([status, body.code]).to.deep.equal([503, 'database_unavailable']);
      await release();

      const other = await stuck(service, 'beta', 4);
      expect(other.open).to.equal(4);
      await other.release();
      for (const { status } of await other.answers) expect(status).to.equal(200);
    }
    await settle({});
    for (const service of services) {
      const { open, answers, release } = await stuck(service, 'alpha', 4);
      expect(open).to.equal(4);
      await release();
      for (const { status } of await answers) expect(status).to.equal(200);
    }
  });
});
