import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { DockingJob, JobStatus } from '../../domain/jobs/docking-job.ts';
import type { JobKey, NewDockingJob } from '../../domain/jobs/docking-job-repository.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import { sampleJob, sampleNote, sampleResult } from '../support/sample-job.ts';

const NOTE = sampleNote('tested');
const NONE = '00000000-0000-4000-8000-000000000000';

describe("an organization's repositories", function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let database: ResultsDatabase;
  let release: () => void;

  before(async () => {
    deployment = await createDeployment();
    await deployment.register('acme');
    const manager = deployment.start().get(TOKENS.connectionManager);
    ({ database, release } = await manager.acquire(organizationId('acme')));
  });
  after(async () => {
    release();
    await deployment.dispose();
  });
  beforeEach(() => execute('truncate docking_jobs cascade'));

  const execute = <Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    deployment.administer<Row>(text, values, deployment.databaseName('acme'));

  const insertJob = async (overrides: Partial<NewDockingJob> = {}): Promise<DockingJob> => {
    const job = await database.jobs.insert(sampleJob(overrides));
    if (job === null) throw new Error('the job was refused');
    return job;
  };

  describe('jobs', () => {
    it('of a page never come twice nor get lost while others are inserted', async () => {
      const before = await Promise.all(Array.from({ length: 25 }, () => insertJob()));
      // Many at the same moment: only the id tells them apart.
      await execute(`update docking_jobs set created_at = date_trunc('minute', now()) - interval '1 hour'
                     where job_id in (select job_id from docking_jobs limit 15)`);
      const seen: string[] = [];
      let after: JobKey | null = null;
      do {
        const page: { items: readonly DockingJob[]; next: JobKey | null } = await database.jobs.list(
          { status: null },
          { limit: 4, after },
        );
        seen.push(...page.items.map(({ jobId }) => jobId));
        after = page.next;
        await Promise.all([insertJob(), insertJob()]);
      } while (after !== null);
      expect(seen.toSorted()).to.deep.equal(before.map(({ jobId }) => jobId).toSorted());
    });

    it('under findForUpdate are changed by one after another', async () => {
      const { jobId } = await insertJob();
      const gate = new Gate();
      const move = (status: JobStatus, pass: () => Promise<void>): Promise<DockingJob | null> =>
        database.transaction(async ({ jobs }) => {
          const job = await jobs.findForUpdate(jobId);
          await pass();
          return job?.status === 'PENDING' ? jobs.setStatus(jobId, status, null, NOTE) : null;
        });
      const first = move('RUNNING', () => gate.pass());
      await gate.reached;
      const second = move('CANCELED', () => Promise.resolve());
      await until('the second waits for the first', async () => {
        const waiting = await execute(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return waiting.length === 1;
      }).finally(() => gate.open());
      expect(await first).to.include({ status: 'RUNNING' });
      expect(await second, 'it saw the move of the first').to.equal(null);
    });

    it('keep to the rules in the database as well', async () => {
      const violations: [string, string][] = [
        [`status = 'DONE'`, 'docking_jobs_status_check'],
        [`inputs = '{}'`, 'docking_jobs_inputs_check'],
        [`inputs = '[1]'`, 'docking_jobs_inputs_check'],
        [`params = '"text"'`, 'docking_jobs_params_check'],
        [`priority = 101`, 'docking_jobs_priority_check'],
        [`input_signature = 'ABC'`, 'docking_jobs_input_signature_check'],
        [`idempotency_key = 'k'`, 'docking_jobs_request_hash_check'],
        [`cache_hit = true`, 'docking_jobs_cache_hit_check'],
        [`canonical_job_id = '${NONE}', cache_hit = true`, 'docking_jobs_canonical_job_id_fkey'],
      ];
      await insertJob();
      for (const [change, constraint] of violations) {
        const error = await rejectionOf(execute(`update docking_jobs set ${change}`));
        expect(error, change).to.have.property('constraint', constraint);
      }
    });
  });

  describe('task results', () => {
    it('keep to the rules in the database as well', async () => {
      const { jobId } = await insertJob();
      const errors = await Promise.all([
        rejectionOf(database.taskResults.put(sampleResult(jobId, { confidenceScore: 1.1 }))),
        rejectionOf(database.taskResults.put(sampleResult(NONE))),
      ]);
      expect(
        errors.map((error) => error instanceof Error && 'constraint' in error && error.constraint),
      ).to.deep.equal(['task_results_confidence_score_check', 'task_results_job_id_fkey']);
    });
  });

  describe('input signatures', () => {
    const signature = (): string => randomBytes(32).toString('hex');

    it('are not found when they have expired', async () => {
      const inputSignature = signature();
      const { jobId } = await insertJob({ inputSignature });
      await database.taskResults.put(sampleResult(jobId));
      await database.inputSignatures.canonize([{ jobId, inputSignature }]);
      await execute(`update input_signatures set expires_at = now() - interval '1 second'`);
      expect(await database.inputSignatures.find(inputSignature)).to.equal(null);
      expect(await database.inputSignatures.use(inputSignature)).to.equal(null);
      await database.inputSignatures.canonize([{ jobId, inputSignature }]);
      expect(await database.inputSignatures.use(inputSignature), 'made anew').to.include({ expiresAt: null });
    });
  });

  it('a transaction is seen whole or not at all', async () => {
    const jobId = randomUUID();
    await database.transaction(async ({ jobs, taskResults }) => {
      await jobs.insert(sampleJob({ jobId }));
      expect(await database.jobs.find(jobId), 'from outside').to.equal(null);
      await taskResults.put(sampleResult(jobId));
    });
    const { items } = await database.taskResults.listByJob(jobId, { limit: 10, after: null });
    expect(items).to.have.length(1);
  });
});
