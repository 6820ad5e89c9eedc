import { expect } from 'chai';
import type { Container } from 'inversify';
import { FleetCommandError } from '../../application/fleet/fleet-command-error.ts';
import { SET_ASIDE } from '../../application/ports/fleet/fleet-ledger.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import {
  asRelease,
  createReleases,
  historyOf,
  ledgerVersions,
  provisionAll,
  registerMany,
  type Releases,
} from '../support/fleet.ts';
import { rejectionOf } from '../support/gate.ts';
import { sampleJob } from '../support/sample-job.ts';

const RUN = { only: null, canaries: 1, waveSize: { count: 2 }, errorBudget: { count: 0 } } as const;
const WORK = { concurrency: 2 };

describe('a rollback of organizations', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let releases: Releases;
  let container: Container;
  let ids: readonly string[];

  before(async () => {
    releases = await createReleases([
      {
        name: 'rename_priority',
        up: `
          await knex.raw('alter table docking_jobs rename column priority to urgency');
          await knex.raw('update docking_jobs set urgency = urgency + 1');`,
        down: `
          await knex.raw('update docking_jobs set urgency = urgency - 1');
          await knex.raw('alter table docking_jobs rename column urgency to priority');`,
      },
      {
        name: 'add_flag',
        up: `await knex.raw('alter table docking_jobs add column flag boolean')`,
        down: `await knex.raw('alter table docking_jobs drop column flag')`,
      },
    ]);
  });
  after(() => releases.dispose());
  beforeEach(async () => {
    deployment = await createDeployment();
    ids = await registerMany(deployment, 5);
    const old = asRelease(deployment.start(), releases.release(releases.base));
    await provisionAll(old, ids);
    for (const id of ids) {
      const { database, release } = await old.get(TOKENS.connectionManager).acquire(organizationId(id));
      for (const submittedBy of ['ada', 'bob']) await database.jobs.insert(sampleJob({ submittedBy }));
      release();
    }
    container = asRelease(deployment.start(), releases.release(releases.newest));
  });
  afterEach(() => deployment.dispose());

  const jobsOf = (id: string): Promise<readonly unknown[]> =>
    deployment.administer('select * from docking_jobs order by job_id', [], deployment.databaseName(id));

  it('rollback-restores-data-and-schema: of chosen organizations, and of no other', async () => {
    const before = await jobsOf('org-001');
    const operator = container.get(TOKENS.fleetOperator);
    await operator.run(RUN, WORK);
    expect(await jobsOf('org-001')).not.to.deep.equal(before);
    const status = await operator.rollback({ of: [organizationId('org-001')] }, WORK);
    expect(status.run).to.include({ kind: 'rollback', state: 'finished' });
    expect(status.counts).to.include({ done: 1, failed: 0 });
    expect(await jobsOf('org-001')).to.deep.equal(before);
    expect(await historyOf(deployment, 'org-001')).to.have.length(releases.base);
    const versions = await ledgerVersions(deployment);
    for (const id of ids) expect(versions[id]).to.equal(id === 'org-001' ? releases.base : releases.newest);
    expect((await container.get(TOKENS.fleetChecks).drift(null)).drifted, 'the schema').to.deep.equal([]);

    await operator.run(RUN, WORK);
    expect((await ledgerVersions(deployment))['org-001'], 'and forward again').to.equal(releases.newest);
  });

  it('rollback-restores-data-and-schema: of one wave', async () => {
    const before = await jobsOf('org-001');
    const operator = container.get(TOKENS.fleetOperator);
    await operator.run(RUN, WORK);
    await operator.rollback({ of: { wave: 1 } }, WORK);
    const versions = await ledgerVersions(deployment);
    const { base, newest } = releases;
    expect(ids.map((id) => versions[id])).to.deep.equal([newest, base, base, newest, newest]);
    expect(await jobsOf('org-001')).to.deep.equal(before);
  });

  it('goes back as far as it is told, one migration after the other', async () => {
    const operator = container.get(TOKENS.fleetOperator);
    await operator.run(RUN, WORK);
    const of = [organizationId('org-004')];
    await operator.rollback({ of, target: releases.base + 1 }, WORK);
    expect(await historyOf(deployment, 'org-004')).to.have.length(releases.base + 1);
    expect(await rejectionOf(operator.rollback({ of, target: releases.newest }, WORK))).to.be.instanceOf(
      FleetCommandError,
    );
  });

  it('sets a paused run aside, which goes on afterwards with those that it had not reached', async () => {
    const operator = container.get(TOKENS.fleetOperator);
    const { base, newest } = releases;
    // Paused after its canary.
    const halt = new AbortController();
    await operator.run(RUN, {
      ...WORK,
      signal: halt.signal,
      onProgress: ({ counts }) => counts.done > 0 && halt.abort(),
    });
    await operator.pause();
    const before = await ledgerVersions(deployment);
    expect(before['org-000']).to.equal(newest);
    expect(ids.filter((id) => before[id] === base)).not.to.be.empty;

    const rollback = await operator.rollback({ of: [organizationId('org-000')] }, WORK);
    expect(rollback.run).to.include({ runId: 2, kind: 'rollback', state: 'finished' });
    expect(rollback.setAside).to.include({ runId: 1, state: 'finished', reason: SET_ASIDE });

    const resumed = await operator.resume(WORK);
    expect(resumed.run).to.include({ runId: 1, state: 'finished', reason: null });
    const versions = await ledgerVersions(deployment);
    for (const id of ids) expect(versions[id], id).to.equal(id === 'org-000' ? base : newest);
    expect((await operator.status())?.run.runId, 'the run that ended last').to.equal(1);
    expect(String(await rejectionOf(operator.resume(WORK)))).to.include('Run 1 is finished');
  });

  it('leaves nothing to resume when no run was waiting', async () => {
    const operator = container.get(TOKENS.fleetOperator);
    await operator.run(RUN, WORK);
    await operator.rollback({ of: { wave: 1 } }, WORK);
    expect(String(await rejectionOf(operator.resume(WORK)))).to.include('Run 2 is finished');
  });

  it('does not let a run of some organizations take the place of one that waits for the others', async () => {
    const operator = container.get(TOKENS.fleetOperator);
    const halt = new AbortController();
    const target = releases.base + 1;
    await operator.run(
      { ...RUN, target },
      { ...WORK, signal: halt.signal, onProgress: ({ counts }) => counts.done > 0 && halt.abort() },
    );
    await operator.pause();
    const only = new Set([organizationId('org-004')]);
    const refusal = await rejectionOf(operator.run({ ...RUN, only }, WORK));
    expect(refusal).to.be.instanceOf(FleetCommandError);
    expect(String(refusal)).to.include('Run 1 is paused');
    expect((await operator.run(RUN, WORK)).status?.run).to.include({ runId: 2, state: 'finished' });
    expect(new Set(Object.values(await ledgerVersions(deployment)))).to.deep.equal(
      new Set([releases.newest]),
    );
  });

  it('refuses when nothing was ever run', async () => {
    const refusal = await rejectionOf(
      container.get(TOKENS.fleetOperator).rollback({ of: { wave: 0 } }, WORK),
    );
    expect(refusal).to.be.instanceOf(FleetCommandError);
  });
});
