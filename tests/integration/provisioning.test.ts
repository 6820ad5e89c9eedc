import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';

describe('provisioning at first use', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment();
  });
  afterEach(() => deployment.dispose());

  it('100-concurrent-first-requests-create-one-database', async () => {
    await deployment.register('acme');
    const manager = deployment.start().get(TOKENS.connectionManager);

    const leases = await Promise.all(
      Array.from({ length: 100 }, () => manager.acquire(organizationId('acme'))),
    );
    const lists = await Promise.all(
      leases.map(({ database }) => database.jobs.list({ status: null }, { limit: 1, after: null })),
    );
    for (const lease of leases) lease.release();

    expect(lists).to.have.length(100);
    expect((await deployment.databases()).filter((name) => !name.includes('.'))).to.deep.equal([
      deployment.databaseName('acme'),
    ]);
  });
});
