import { expect } from 'chai';
import type { Actor } from '../../application/actor.ts';
import { completeJobs, type Completion } from '../../application/jobs/complete-job.ts';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { JobClaim } from '../../domain/jobs/job-attempt-repository.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { sampleJob, sampleResult } from '../support/sample-job.ts';

const [FIRST, SECOND, SHARED] = ['0'.repeat(64), 'f'.repeat(64), '7'.repeat(64)];
const WORKER: Actor = {
  principal: { userId: 'user-1', organizationId: organizationId('alpha'), roles: new Set(['worker']) },
  requestId: 'r',
  address: null,
};
const NOTE = { userId: 'user-1', requestId: 'r', address: null };
const CLAIM: JobClaim = {
  worker: { name: 'node-1', version: null },
  engines: ['shared'],
  limit: 1,
  leaseSeconds: 120,
  maxRuntimeSeconds: 3600,
  maxRunningJobs: null,
};

describe('Two who use the same cache entries', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let database: ResultsDatabase;
  let release: () => void;

  before(async () => {
    deployment = await createDeployment();
    await deployment.register('alpha');
    ({ database, release } = await deployment
      .start()
      .get(TOKENS.connectionManager)
      .acquire(organizationId('alpha')));
    // In the table the second one comes first.
    for (const inputSignature of [SECOND, FIRST]) {
      const job = await database.jobs.insert(sampleJob({ inputSignature }));
      await database.taskResults.put(sampleResult(job?.jobId ?? ''));
      await database.inputSignatures.canonize([{ jobId: job?.jobId ?? '', inputSignature }]);
    }
  });
  after(async () => {
    release();
    await deployment.dispose();
  });

  const someoneWaits = async (): Promise<boolean> => {
    const waiting = await deployment.administer(
      `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
      [deployment.databaseName('alpha')],
    );
    return waiting.length > 0;
  };

  it('do not wait in a circle where one completes a job again that answers for a job of the other', async () => {
    const claimed = async (): Promise<Completion> => {
      await database.jobs.insert(sampleJob({ inputSignature: SHARED, engine: 'shared' }));
      const [held] = (await database.attempts.claim(CLAIM, NOTE)).claimed;
      const { job, lease } = held ?? expect.fail('nothing was claimed');
      const { note: _note, jobId, leaseId: _leaseId, score: _score, ...result } = sampleResult(job.jobId);
      const taskResults = [{ ...result, reported: [] }];
      const end = { error: null, artifacts: [], usage: null, logTail: null };
      return { jobId, leaseId: lease.leaseId, taskResults, ...end };
    };
    const [answering, running] = [await claimed(), await claimed()];
    await completeJobs(database, WORKER, [answering]);
    let completing: Promise<unknown> = Promise.resolve();
    await database.transaction(async ({ inputSignatures, jobs }) => {
      await inputSignatures.use(SHARED);
      // The answer to the first completion was lost.
      completing = completeJobs(database, WORKER, [answering, running]);
      await until('the completion waits for the entry', someoneWaits);
      const cache = { hit: true, canonicalJobId: answering.jobId, confidenceScore: null };
      await jobs.insert(sampleJob({ inputSignature: SHARED, status: 'COMPLETED', cache }));
    });
    expect(await completing).to.deep.equal([{ status: 'COMPLETED' }, { status: 'COMPLETED' }]);
  });

  it('take them in one order, whatever order they name them in, and do not wait for each other', async () => {
    let second: Promise<unknown> = Promise.resolve();
    await database.transaction(async ({ inputSignatures }) => {
      await inputSignatures.use(FIRST);
      second = database.transaction((repositories) =>
        repositories.inputSignatures.useAll(
          new Map([
            [SECOND, 1],
            [FIRST, 1],
          ]),
        ),
      );
      await until('the second batch waits for the first entry', someoneWaits);
      await inputSignatures.use(SECOND);
    });
    await second;
    for (const signature of [FIRST, SECOND])
      expect((await database.inputSignatures.find(signature))?.hitCount).to.equal(2);
  });
});
