import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import {
  asRelease,
  createReleases,
  provisionAll,
  type ExtraMigration,
  type Releases,
} from '../support/fleet.ts';
import { sampleJob } from '../support/sample-job.ts';

const ACME = organizationId('acme');
const RUN = { only: null, canaries: 0, waveSize: { percent: 100 }, errorBudget: { count: 0 } } as const;
const WORK = { concurrency: 1 };

/** The whole migrations in the document, in their order. */
const documented = (): readonly ExtraMigration[] => {
  const text = readFileSync(new URL('../../docs/expand-and-contract.md', import.meta.url), 'utf8');
  return [...text.matchAll(/^\/\/ migrations\/results\/\d+_(\w+)\.ts\n(.*?)^```/gms)].map(
    ([, name = '', code = '']) => {
      const bodyOf = (direction: string): string =>
        new RegExp(`export const ${direction} = .*? => \\{\\n(.*?)^\\};`, 'ms').exec(code)?.[1] ?? '';
      return { name, up: bodyOf('up'), down: bodyOf('down') };
    },
  );
};

describe('the documented pair of an expansion and a contraction', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let releases: Releases;

  before(async () => {
    releases = await createReleases(documented());
    deployment = await createDeployment();
    await deployment.register('acme');
  });
  after(async () => {
    await deployment.dispose();
    await releases.dispose();
  });

  const jobs = (columns: string): Promise<readonly object[]> =>
    deployment.administer(
      `select ${columns} from docking_jobs order by created_at, job_id`,
      [],
      deployment.databaseName('acme'),
    );
  const inAcme = (sql: string): Promise<unknown> =>
    deployment.administer(sql, [], deployment.databaseName('acme'));

  it('serves old and new code side by side, and leads back without loss', async () => {
    expect(releases.newest).to.equal(releases.base + 2);
    const old = asRelease(deployment.start(), releases.release(releases.base));
    await provisionAll(old, ['acme']);
    const { database, release } = await old.get(TOKENS.connectionManager).acquire(ACME);
    await database.jobs.insert(sampleJob({ priority: 1 }));
    const container = asRelease(deployment.start(), releases.release(releases.newest));
    const operator = container.get(TOKENS.fleetOperator);
    const checks = container.get(TOKENS.fleetChecks);
    const before = await jobs('*');

    await operator.run({ ...RUN, target: releases.base + 1 }, WORK);
    await database.jobs.insert(sampleJob({ priority: 2 }));
    release();
    // As the next release would, which knows the new column alone.
    await inAcme(`
      insert into docking_jobs (job_id, status, engine, pipeline_version, inputs, params, urgency, input_signature, submitted_by)
      values (gen_random_uuid(), 'PENDING', 'vina', '1', '{"a": 1}', '{}', 3, repeat('0', 64), 'new')`);
    await inAcme('update docking_jobs set urgency = 4 where urgency = 3');
    await inAcme('update docking_jobs set priority = 5 where priority = 4');
    const both = [1, 2, 5].map((value) => ({ priority: value, urgency: value }));
    expect(await jobs('priority, urgency')).to.deep.equal(both);

    await operator.run(RUN, WORK);
    expect(await jobs('urgency')).to.deep.equal(both.map(({ urgency }) => ({ urgency })));
    await operator.rollback({ of: [ACME] }, WORK);
    expect(await jobs('priority, urgency')).to.deep.equal(both);
    expect((await checks.drift(null)).drifted).to.deep.equal([]);
    await operator.rollback({ of: [ACME], target: releases.base }, WORK);
    expect((await checks.drift(null)).drifted).to.deep.equal([]);
    const after = await jobs('*');
    expect(after).to.have.length(3);
    expect(after[0]).to.deep.equal(before[0]);
  });
});
