import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { sampleConnections } from '../support/connection-samples.ts';
import { replaceManager } from '../support/custom-manager.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { ALL_JOBS } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';

const VISITED = 5000;
const BUDGET = 8;
const POOLS = 50;
/** Every one of them gets a pool; each tenth also a connection, which costs five milliseconds. */
const USED_EACH = 10;
const MAX_HEAP_BYTES = 1024;

setFlagsFromString('--expose-gc');
// The flag brings the function into new contexts.
const collectGarbage = runInNewContext('gc') as () => void;

describe('many organizations', function () {
  this.timeout(120_000);
  let deployment: Deployment;

  before(async () => {
    deployment = await createDeployment({
      DB_CONNECTION_BUDGET: String(BUDGET),
      DB_MAX_POOLS: String(POOLS),
    });
    await deployment.register('all');
  });
  after(() => deployment.dispose());

  it('5000-tenants-heap-and-sockets-bounded', async () => {
    const container = deployment.start();
    const server = defaultServer(container);
    // Thousands of real databases take gigabytes: here they are all the same one, each with pools and connections of its own.
    const placement = await container.get(TOKENS.provisioning).provision(organizationId('all'));
    const placementOf = (id: OrganizationId): Placement => ({ ...placement, organizationId: id });
    const manager = replaceManager(
      container,
      {},
      {
        provisioning: {
          find: async (id) => ({ placement: placementOf(id) }),
          provision: async (id) => placementOf(id),
          confirm: async (id) => placementOf(id),
        },
        connect: (_placement, policy) => server.connect(placement, policy),
      },
    );
    const sampler = await sampleConnections(
      deployment.environment['DB_DATABASE_URL'] ?? '',
      deployment.databaseName(''),
    );
    const visit = async (from: number, to: number): Promise<void> => {
      for (let index = from; index < to; index += 1) {
        const { database, release } = await manager.acquire(organizationId(`org-${index}`));
        if (index % USED_EACH === 0) await database.jobs.list(...ALL_JOBS);
        release();
      }
    };
    const heap = (): number => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    // What is made once, such as compiled statements, and as many pools as are kept.
    await visit(0, 500);
    const before = heap();
    await visit(500, 500 + VISITED);
    const { pools, connections, draining, leases, removals } = manager.counts();
    expect({ pools, draining, leases }).to.deep.equal({ pools: POOLS, draining: 0, leases: 0 });
    expect(connections).to.be.at.most(BUDGET);
    expect(removals.evict).to.equal(500 + VISITED - POOLS);
    expect((heap() - before) / VISITED, 'bytes of heap left for each').to.be.lessThan(MAX_HEAP_BYTES);
    const { most } = await sampler.stop();
    expect(most).to.be.within(2, BUDGET);
  });
});
