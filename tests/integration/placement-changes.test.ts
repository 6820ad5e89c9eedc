import { expect } from 'chai';
import type { Container } from 'inversify';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';

const ACME = organizationId('acme');
/** What the feed promises. */
const A_SECOND_MS = 1000;

describe('A process with a pool to a database that another process', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let operator: Container;
  let own: Container;
  let isTold: boolean;

  beforeEach(async () => {
    deployment = await createDeployment({
      DB_ORG_ROLES: 'true',
      DB_ROLE_SECRET: 'a secret for roles that is long enough',
    });
    await deployment.register('acme');
    operator = deployment.start();
    own = deployment.start();
    await use(true);
  });
  afterEach(async () => {
    await own.get(TOKENS.changeFeed).close();
    await deployment.dispose();
  });

  const use = async (insert = false): Promise<number> => {
    const { database, release } = await own.get(TOKENS.connectionManager).acquire(ACME);
    try {
      if (insert) await database.jobs.insert(sampleJob());
      return (await database.jobs.list(...ALL_JOBS)).items.length;
    } finally {
      release();
    }
  };
  const follow = async (): Promise<void> => {
    const feed = own.get(TOKENS.changeFeed);
    isTold = false;
    // After the pools, which subscribed before.
    feed.subscribe({
      reset: () => undefined,
      changed: (changes) => {
        isTold ||= changes.some(({ kind }) => kind === 'placement');
      },
    });
    await feed.start();
  };

  for (const [what, act, jobs] of [
    ['retires', () => operator.get(TOKENS.retireDatabase)(ACME), 0],
    ['adopts anew', () => operator.get(TOKENS.adoptDatabase)(ACME), 1],
  ] as const) {
    it(`${what}, learns of it within a second, and its next request is served`, async () => {
      await follow();
      await act();
      const from = performance.now();
      await until('it was told', () => isTold);
      expect(performance.now() - from).to.be.below(A_SECOND_MS);
      expect(await use()).to.equal(jobs);
      const { misplaced, removals, pools } = own.get(TOKENS.connectionManager).counts();
      expect({ misplaced, invalidated: removals.invalidate, pools }).to.deep.equal({
        misplaced: 0,
        invalidated: 1,
        pools: 1,
      });
    });
  }

  it('retires is seen to turn a request away where it does not follow the changes', async () => {
    await operator.get(TOKENS.retireDatabase)(ACME);
    expect(await rejectionOf(use())).to.be.instanceOf(DatabaseConnectionError);
  });
});
