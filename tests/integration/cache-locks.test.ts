import { expect } from 'chai';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { sampleJob, sampleResult } from '../support/sample-job.ts';

const [FIRST, SECOND] = ['0'.repeat(64), 'f'.repeat(64)];

describe('Two batches that use the same cache entries', function () {
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
