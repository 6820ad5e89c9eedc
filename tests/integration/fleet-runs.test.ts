import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { asRelease, createReleases, provisionAll, registerMany, type Releases } from '../support/fleet.ts';

const PLAN = { only: null, canaries: 1, waveSize: { percent: 25 } } as const;
const RUN = { ...PLAN, errorBudget: { count: 0 } } as const;

describe('a fleet migration', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let releases: Releases;

  before(async () => {
    releases = await createReleases([
      { name: 'add_note', up: `await knex.raw('alter table docking_jobs add column note text')` },
    ]);
  });
  after(() => releases.dispose());
  beforeEach(async () => {
    deployment = await createDeployment();
  });
  afterEach(() => deployment.dispose());

  it('migrates', async () => {
    const ids = await registerMany(deployment, 10);
    await provisionAll(asRelease(deployment.start(), releases.release(releases.base)), ids);
    const container = asRelease(deployment.start(), releases.release(releases.newest));
    const operator = container.get(TOKENS.fleetOperator);
    const plan = await operator.plan(PLAN);
    expect(plan.waves).to.deep.equal([1, 3, 3, 3]);
    const { status } = await operator.run(RUN, { concurrency: 4 });
    expect(status?.counts.done).to.equal(10);
    expect(status?.run.state).to.equal('finished');
    expect((await operator.run(RUN, { concurrency: 4 })).status).to.equal(null);
  });
});
