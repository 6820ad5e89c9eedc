import { expect } from 'chai';
import { claimJobs } from '../../../application/jobs/claim-jobs.ts';
import type { WorkLook } from '../../../domain/work/work-hint.ts';
import { FakeService, organization } from '../../support/fakes/fake-service.ts';

const ACTOR = {
  principal: {
    userId: 'worker-1',
    organizationId: organization('acme'),
    roles: new Set(['worker'] as const),
  },
  requestId: 'request-1',
  address: null,
};
const CLAIM = {
  worker: { name: 'node-1', version: null },
  engines: ['vina'],
  limit: 2,
  leaseSeconds: 60,
  maxRuntimeSeconds: 60,
  maxRunningJobs: null,
};
const HINT = { organizationId: organization('acme'), version: 7 };

describe('A claim that a hint has led to', () => {
  const claimWith = async (settle: () => Promise<void>, waiting: number, hint: typeof HINT | null = HINT) => {
    const service = new FakeService();
    for (let n = 0; n < waiting; n += 1)
      await service
        .acme('member')
        .post('/jobs')
        .send({ engine: 'vina', inputs: { ligand: 'CCO' } });
    const results = service.databases.of('acme');
    const settled: WorkLook[] = [];
    const workHints = {
      take: async () => [],
      settle: (_id: unknown, look: WorkLook) => {
        settled.push(look);
        return settle();
      },
    };
    const { items } = await claimJobs({ workHints })(results, ACTOR, CLAIM, hint);
    return { claimed: items.length, settled };
  };
  const settles = async (): Promise<void> => undefined;

  for (const [what, settle] of [
    ['refuses', () => Promise.reject(new Error('the metadata database is away'))],
    ['does not answer', () => new Promise<void>(() => undefined)],
  ] as const) {
    it(`stands when the metadata database ${what}`, async () => {
      const { claimed, settled } = await claimWith(settle, 1);
      expect([claimed, settled.length]).to.deep.equal([1, 1]);
    });
  }

  it('settles it when there was less than was asked for, and tells what it saw', async () => {
    const { settled } = await claimWith(settles, 0);
    expect(settled).to.deep.equal([{ engines: ['vina'], version: 7, isWaiting: false, dueInSeconds: null }]);
  });

  it('leaves it alone when there was as much as was asked for, or nobody came by a hint', async () => {
    expect((await claimWith(settles, 2)).settled).to.deep.equal([]);
    expect((await claimWith(settles, 0, null)).settled).to.deep.equal([]);
  });
});
