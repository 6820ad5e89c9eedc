import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { ResultsDatabase } from '../../application/ports/results-database.ts';
import type { DockingJob, JobStatus } from '../../domain/jobs/docking-job.ts';
import type { JobKey, NewDockingJob } from '../../domain/jobs/docking-job-repository.ts';
import type { NewTaskResult } from '../../domain/jobs/task-result.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import { ALL_JOBS, sampleJob, sampleNote } from '../support/sample-job.ts';

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

  const result = (jobId: string, overrides: Partial<NewTaskResult> = {}): NewTaskResult => ({
    jobId,
    taskName: 'docking',
    serviceName: 'vina',
    serviceVersion: '1.2.5',
    schemaVersion: null,
    confidenceScore: 0.5,
    resultData: { affinity: -12.9 },
    note: sampleNote('task_result.written'),
    ...overrides,
  });

  describe('jobs', () => {
    it('come back as they were put in, whatever is in their JSON', async () => {
      const inputs = {
        'a $1 key?': 'a ? and $2 and ?? and \\? and :name and {org_id}',
        quotes: `'"\`\\ -- ; /* */ $$`,
        unicode: 'ﬁ é é ｅ 日本語 😀 \u202e \u0001',
        nested: [[], {}, [null, true, false, [{ deep: { deeper: ['end'] } }]]],
        numbers: [0, -1.5, 1e21, 1e-7, Number.MAX_SAFE_INTEGER, 0.1],
        '': '',
        __proto__key: 'x',
        long: 'x'.repeat(100_000),
      };
      const params = { constructor: 'own', empty: {} };
      const job = await insertJob({ inputs, params, engine: 'vi?na $1', submittedBy: `o'neil` });
      expect(job.inputs).to.deep.equal(inputs);
      const found = await database.jobs.find(job.jobId);
      expect(found).to.deep.equal(job);
      expect(found?.params).to.deep.equal(params);
      expect((await database.jobs.list(...ALL_JOBS)).items).to.deep.equal([job]);
    });

    it('are born without what happens later', async () => {
      expect(await insertJob()).to.include({
        startedAt: null,
        completedAt: null,
        error: null,
        status: 'PENDING',
      });
      expect(await database.jobs.find(NONE)).to.equal(null);
      expect(await database.jobs.findForUpdate(NONE)).to.equal(null);
    });

    it('keep the times of their moves', async () => {
      const { jobId, createdAt } = await insertJob();
      const running = await database.jobs.setStatus(jobId, 'RUNNING', null, NOTE);
      expect(running.startedAt).to.be.instanceOf(Date);
      expect(running.completedAt).to.equal(null);
      const failed = await database.jobs.setStatus(jobId, 'FAILED', 'no $1?', NOTE);
      expect(failed).to.deep.include({
        status: 'FAILED',
        error: 'no $1?',
        startedAt: running.startedAt,
        createdAt,
      });
      expect(failed.completedAt).to.be.instanceOf(Date);
    });

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

    it('are listed newest first, by status, and say whether there are more', async () => {
      const jobs: DockingJob[] = [];
      for (let i = 0; i < 4; i += 1) {
        jobs.push(await insertJob());
        await execute(`update docking_jobs set created_at = created_at - interval '1 minute'`);
      }
      const ids = jobs.map(({ jobId }) => jobId).toReversed();
      await database.jobs.setStatus(ids[1] ?? '', 'RUNNING', null, NOTE);
      const list = async (status: 'PENDING' | 'RUNNING' | null, limit: number) => {
        const { items, next } = await database.jobs.list({ status }, { limit, after: null });
        return [items.map(({ jobId }) => jobId), next === null];
      };
      expect(await list(null, 4)).to.deep.equal([ids, true]);
      expect(await list(null, 3)).to.deep.equal([ids.slice(0, 3), false]);
      expect(await list('RUNNING', 3)).to.deep.equal([[ids[1]], true]);
      expect(await list('PENDING', 2)).to.deep.equal([[ids[0], ids[2]], false]);
    });

    it('with the same idempotency key: one of many is written, the others are told', async () => {
      const idempotency = { key: 'k $1 ? "', requestHash: 'f'.repeat(64) };
      const inserted = await Promise.all(
        Array.from({ length: 20 }, () => database.jobs.insert(sampleJob({ idempotency }))),
      );
      const winners = inserted.filter((job) => job !== null);
      expect(winners).to.have.length(1);
      const found = await database.jobs.findByIdempotencyKey(idempotency.key);
      expect(found).to.deep.equal({ job: winners[0], requestHash: idempotency.requestHash });
      expect((await database.jobs.list(...ALL_JOBS)).items).to.have.length(1);
      expect(await database.jobs.findByIdempotencyKey('another')).to.equal(null);
    });

    it('the key of a transaction that was rolled back is free again', async () => {
      const idempotency = { key: 'k', requestHash: 'f'.repeat(64) };
      await rejectionOf(
        database.transaction(async ({ jobs }) => {
          await jobs.insert(sampleJob({ idempotency }));
          throw new Error('changed my mind');
        }),
      );
      expect(await database.jobs.insert(sampleJob({ idempotency }))).not.to.equal(null);
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
    it('are replaced by task, and say which came first', async () => {
      const { jobId } = await insertJob();
      const first = await database.taskResults.put(result(jobId));
      const second = await database.taskResults.put(
        result(jobId, { serviceVersion: null, confidenceScore: null, resultData: { text: `$1 ? 'é😀'` } }),
      );
      expect([first.created, second.created]).to.deep.equal([true, false]);
      expect(second.result).to.deep.include({
        taskResultId: first.result.taskResultId,
        createdAt: first.result.createdAt,
        serviceVersion: null,
        confidenceScore: null,
        resultData: { text: `$1 ? 'é😀'` },
      });
      await database.taskResults.put(result(jobId, { taskName: 'analysis' }));
      const names = (await database.taskResults.listByJob(jobId)).map(({ taskName }) => taskName);
      expect(names).to.deep.equal(['analysis', 'docking']);
      expect(await database.taskResults.listByJob(NONE)).to.be.empty;
    });

    it('put at once are made once', async () => {
      const { jobId } = await insertJob();
      const puts = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          database.taskResults.put(result(jobId, { resultData: { index } })),
        ),
      );
      expect(puts.filter(({ created }) => created)).to.have.length(1);
      expect(await database.taskResults.listByJob(jobId)).to.have.length(1);
    });

    it('keep to the rules in the database as well', async () => {
      const { jobId } = await insertJob();
      const errors = await Promise.all([
        rejectionOf(database.taskResults.put(result(jobId, { confidenceScore: 1.1 }))),
        rejectionOf(database.taskResults.put(result(NONE))),
      ]);
      expect(
        errors.map((error) => error instanceof Error && 'constraint' in error && error.constraint),
      ).to.deep.equal(['task_results_confidence_score_check', 'task_results_job_id_fkey']);
    });
  });

  it('artifacts come back in the order they were made, sizes beyond 32 bits included', async () => {
    const { jobId } = await insertJob();
    const common = {
      note: NOTE,
      jobId,
      purpose: 'pose',
      uri: 's3://x?y=$1',
      contentType: null,
      checksum: null,
    };
    const made = [];
    for (const [name, sizeBytes] of [
      ['z', 2 ** 40],
      ['a', null],
      ['m', 0],
    ] as const) {
      made.push(await database.artifacts.insert({ ...common, name, sizeBytes }));
    }
    expect(made.map(({ sizeBytes }) => sizeBytes)).to.deep.equal([2 ** 40, null, 0]);
    expect(await database.artifacts.listByJob(jobId)).to.deep.equal(made);
  });

  describe('input signatures', () => {
    const signature = (): string => randomBytes(32).toString('hex');

    it('are made by a job with results, with the lowest of its confidences', async () => {
      const inputSignature = signature();
      const { jobId } = await insertJob({ inputSignature });
      await database.inputSignatures.canonize({ jobId, inputSignature });
      expect(await database.inputSignatures.find(inputSignature), 'without results').to.equal(null);

      await database.taskResults.put(result(jobId, { taskName: 'a', confidenceScore: 0.9 }));
      await database.taskResults.put(result(jobId, { taskName: 'b', confidenceScore: 0.25 }));
      await database.taskResults.put(result(jobId, { taskName: 'c', confidenceScore: null }));
      await database.inputSignatures.canonize({ jobId, inputSignature });
      expect(await database.inputSignatures.find(inputSignature)).to.deep.include({
        signature: inputSignature,
        canonicalJobId: jobId,
        confidenceScore: 0.25,
        hitCount: 0,
        expiresAt: null,
      });
    });

    it('go to the job that completed last', async () => {
      const inputSignature = signature();
      for (let i = 0; i < 2; i += 1) {
        const { jobId } = await insertJob({ inputSignature });
        await database.taskResults.put(result(jobId, { confidenceScore: i / 10 }));
        await database.inputSignatures.canonize({ jobId, inputSignature });
        const found = await database.inputSignatures.find(inputSignature);
        expect(found).to.include({ canonicalJobId: jobId, confidenceScore: i / 10 });
      }
    });

    it('count every use, also of many at once', async () => {
      const inputSignature = signature();
      const { jobId } = await insertJob({ inputSignature });
      await database.taskResults.put(result(jobId));
      await database.inputSignatures.canonize({ jobId, inputSignature });
      const uses = await Promise.all(
        Array.from({ length: 20 }, () => database.inputSignatures.use(inputSignature)),
      );
      const counts = uses.map((use) => use?.hitCount ?? 0).toSorted((one, other) => one - other);
      expect(counts).to.deep.equal(Array.from({ length: 20 }, (_, index) => index + 1));
      expect(await database.inputSignatures.use(signature())).to.equal(null);
    });

    it('are not found when they have expired', async () => {
      const inputSignature = signature();
      const { jobId } = await insertJob({ inputSignature });
      await database.taskResults.put(result(jobId));
      await database.inputSignatures.canonize({ jobId, inputSignature });
      await execute(`update input_signatures set expires_at = now() - interval '1 second'`);
      expect(await database.inputSignatures.find(inputSignature)).to.equal(null);
      expect(await database.inputSignatures.use(inputSignature)).to.equal(null);
      await database.inputSignatures.canonize({ jobId, inputSignature });
      expect(await database.inputSignatures.use(inputSignature), 'made anew').to.include({ expiresAt: null });
    });
  });

  it('a transaction is seen whole or not at all', async () => {
    const jobId = randomUUID();
    await database.transaction(async ({ jobs, taskResults }) => {
      await jobs.insert(sampleJob({ jobId }));
      expect(await database.jobs.find(jobId), 'from outside').to.equal(null);
      await taskResults.put(result(jobId));
    });
    expect(await database.taskResults.listByJob(jobId)).to.have.length(1);
  });
});
