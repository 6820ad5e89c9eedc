import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { KnexWorkHints } from '../../adapters/knex/metadata/knex-work-hints.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';

const ORGANIZATIONS = ['acme', 'beta', 'gamma'] as const;

describe('hints at work', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  before(async () => {
    deployment = await createDeployment();
    await deployment.register(...ORGANIZATIONS);
  });
  after(() => deployment.dispose());

  it('count no further than a column holds, whatever an organization’s SQL role has told', async () => {
    const container = deployment.start();
    const deliver = () =>
      container.get(TOKENS.auditBacklog).deliver(organizationId('acme'), [
        {
          auditId: randomUUID(),
          userId: null,
          action: 'job_batch.submitted',
          entityType: 'job_batch',
          entityId: randomUUID(),
          details: { engine: 'forged', jobs: 1000, waiting: 1000 },
          requestId: null,
          at: new Date(),
        },
      ]);
    await deliver();
    // As after two million entries more.
    await deployment.metadata(`update work_hints set waiting = 2147483000 where engine = 'forged'`);
    await deliver();
    const hints = await deployment.metadata(
      `delete from work_hints where engine = 'forged' returning waiting`,
    );
    expect(hints).to.deep.equal([{ waiting: 2_147_483_647 }]);
  });

  it('that somebody is being given are passed over by others, who do not wait', async () => {
    const container = deployment.start();
    const { serviceAccounts } = container.get(TOKENS.metadataDatabase);
    const { accountId: fleetId } = await serviceAccounts.insert(null, { name: 'fleet', roles: ['worker'] });
    for (const name of ORGANIZATIONS) {
      await serviceAccounts.admit(organizationId(name), fleetId);
      await container.get(TOKENS.auditBacklog).deliver(organizationId(name), [
        {
          auditId: randomUUID(),
          userId: null,
          action: 'job.submitted',
          entityType: 'job',
          entityId: randomUUID(),
          details: { engine: 'vina', status: 'PENDING' },
          requestId: null,
          at: new Date(),
        },
      ]);
    }
    const take = async (hints: KnexWorkHints, limit: number): Promise<readonly string[]> =>
      (await hints.take({ fleetId }, { engines: null, limit })).map((hint) => hint.organizationId);
    const database = container.get(TOKENS.metadataSql);
    const [given, others] = await database.transaction(async (executor) => [
      await take(new KnexWorkHints(executor), 2),
      // Not committed yet: who waited for it would wait for ever.
      await take(new KnexWorkHints(database), 3),
    ]);
    expect([...(given ?? []), ...(others ?? [])].toSorted()).to.deep.equal(ORGANIZATIONS);
  });
});
