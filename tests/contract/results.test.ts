import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { DockingJob, JobStatus } from '../../domain/jobs/docking-job.ts';
import type { JobKey, NewDockingJob } from '../../domain/jobs/docking-job-repository.ts';
import { rejectionOf } from '../support/gate.ts';
import { ALL_JOBS, ALL_OUTPUTS, sampleJob, sampleNote, sampleResult } from '../support/sample-job.ts';
import { RESULTS, type Subject } from './subjects.ts';

const NOTE = sampleNote('tested');
const NONE = '00000000-0000-4000-8000-000000000000';

/** With every JSON text parsed: the order of keys and the spaces are the database's. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const newestFirst = (one: DockingJob, other: DockingJob): number =>
  other.createdAt.getTime() - one.createdAt.getTime() || (other.jobId < one.jobId ? -1 : 1);

const keepsResults = (subject: Subject<ResultsDatabase>): void => {
  let database: ResultsDatabase;

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    database = await subject.empty();
  });

  const insertJob = async (overrides: Partial<NewDockingJob> = {}): Promise<DockingJob> => {
    const job = await database.jobs.insert(sampleJob(overrides));
    if (job === null) throw new Error('the job was refused');
    return job;
  };

  describe('the queue', () => {
    it('counts what waits and what runs, engine by engine, and knows since when the oldest waits', async () => {
      expect(await database.queue.survey()).to.deep.equal({ engines: [], isCut: false });
      const oldest = await insertJob({ engine: 'vina', priority: 3 });
      await insertJob({ engine: 'vina', priority: 100 });
      await insertJob({ engine: 'vina', priority: 3 });
      const running = await insertJob({ engine: 'gnina' });
      await database.jobs.setStatus(running.jobId, 'RUNNING', null, NOTE);
      for (const status of ['CANCELED', 'COMPLETED'] as const) {
        const { jobId } = await insertJob({ engine: 'done' });
        if (status === 'COMPLETED') await database.jobs.setStatus(jobId, 'RUNNING', null, NOTE);
        await database.jobs.setStatus(jobId, status, null, NOTE);
      }
      const nothing = {
        due: 0,
        delayed: 0,
        oldestAt: null,
        nextDueAt: null,
        leased: 0,
        unleased: 0,
        lapsed: 0,
        workers: [],
      };
      expect(await database.queue.survey()).to.deep.equal({
        engines: [
          { ...nothing, engine: 'gnina', unleased: 1 },
          { ...nothing, engine: 'vina', due: 3, oldestAt: oldest.createdAt },
        ],
        isCut: false,
      });
    });

    it('lists a hundred engines, and says that there are more', async () => {
      const names = Array.from({ length: 101 }, (_, number) => `engine-${String(number).padStart(3, '0')}`);
      for (const engine of names.slice(1)) await insertJob({ engine });
      const listed = async () => {
        const { engines, isCut } = await database.queue.survey();
        return { names: engines.map(({ engine }) => engine), isCut };
      };
      expect(await listed()).to.deep.equal({ names: names.slice(1), isCut: false });
      await insertJob({ engine: names[0] ?? '' });
      expect(await listed()).to.deep.equal({ names: names.slice(0, 100), isCut: true });
    });
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
      expect(plain(job.inputs)).to.deep.equal(inputs);
      const found = await database.jobs.find(job.jobId);
      expect(plain(found)).to.deep.equal(plain(job));
      expect(plain(found?.params)).to.deep.equal(params);
      expect(plain((await database.jobs.list(...ALL_JOBS)).items)).to.deep.equal([plain(job)]);
    });

    it('have their members in one order, from the first answer on', async () => {
      const inputs = { zz: 1, b: { ccc: 1, 10: 2, é: 3, dd: 4 }, a: [{ y: 1, x: 2 }], 2: 5, 10: 6 };
      const { jobId, ...job } = await insertJob({ inputs, params: { long: 1, s: 2 } });
      const found = await database.jobs.find(jobId);
      for (const { inputs: kept, params } of [job, found ?? job]) {
        expect(JSON.stringify(kept)).to.equal(
          '{"2":5,"10":6,"a":[{"x":2,"y":1}],"b":{"10":2,"dd":4,"é":3,"ccc":1},"zz":1}',
        );
        expect(JSON.stringify(params)).to.equal('{"s":2,"long":1}');
      }
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

    it('are born completed when another job has answered for them', async () => {
      const { jobId: canonicalJobId } = await insertJob();
      const cache = { hit: true, canonicalJobId, confidenceScore: 0.5 };
      const job = await insertJob({ status: 'COMPLETED', cache });
      expect(job).to.deep.include({
        status: 'COMPLETED',
        cache,
        startedAt: null,
        completedAt: job.createdAt,
      });
      expect(plain(await database.jobs.find(job.jobId))).to.deep.equal(plain(job));
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
      expect(failed.updatedAt).to.deep.equal(failed.completedAt);
      expect(plain(await database.jobs.find(jobId))).to.deep.equal(plain(failed));
    });

    it('that never ran have no time of a start', async () => {
      const { jobId } = await insertJob();
      const canceled = await database.jobs.setStatus(jobId, 'CANCELED', null, NOTE);
      expect(canceled).to.include({ status: 'CANCELED', startedAt: null });
      expect(canceled.completedAt).to.be.instanceOf(Date);
    });

    it('are listed newest first, by status, and say whether there are more', async () => {
      const jobs: DockingJob[] = [];
      for (let i = 0; i < 4; i += 1) jobs.push(await insertJob());
      const times = jobs.map(({ createdAt }) => createdAt.getTime());
      expect(times).to.deep.equal(times.toSorted((one, other) => one - other));
      const ids = jobs.toSorted(newestFirst).map(({ jobId }) => jobId);
      await database.jobs.setStatus(ids[1] ?? '', 'RUNNING', null, NOTE);
      const list = async (status: JobStatus | null, limit: number) => {
        const { items, next } = await database.jobs.list({ status }, { limit, after: null });
        return [items.map(({ jobId }) => jobId), next === null];
      };
      expect(await list(null, 4)).to.deep.equal([ids, true]);
      expect(await list(null, 3)).to.deep.equal([ids.slice(0, 3), false]);
      expect(await list('RUNNING', 3)).to.deep.equal([[ids[1]], true]);
      expect(await list('PENDING', 2)).to.deep.equal([[ids[0], ids[2]], false]);
    });

    it('of the same moment are told apart by their ids, page by page', async () => {
      const made: DockingJob[] = [];
      await database.transaction(async ({ jobs }) => {
        for (let i = 0; i < 7; i += 1) {
          const job = await jobs.insert(sampleJob());
          if (job !== null) made.push(job);
        }
      });
      expect(new Set(made.map(({ createdAt }) => createdAt.getTime())).size).to.equal(1);
      const seen: DockingJob[] = [];
      let after: JobKey | null = null;
      do {
        const page: { items: readonly DockingJob[]; next: JobKey | null } = await database.jobs.list(
          { status: null },
          { limit: 3, after },
        );
        seen.push(...page.items);
        after = page.next;
      } while (after !== null);
      expect(plain(seen)).to.deep.equal(plain(made.toSorted(newestFirst)));
    });

    it('with the same idempotency key: one of many is written, the others are told', async () => {
      const idempotency = { key: 'k $1 ? "', requestHash: 'f'.repeat(64) };
      const inserted = await Promise.all(
        Array.from({ length: 20 }, () => database.jobs.insert(sampleJob({ idempotency }))),
      );
      const winners = inserted.filter((job) => job !== null);
      expect(winners).to.have.length(1);
      const found = await database.jobs.findByIdempotencyKey(idempotency.key);
      expect(plain(found)).to.deep.equal(plain({ job: winners[0], requestHash: idempotency.requestHash }));
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
      expect((await database.jobs.list(...ALL_JOBS)).items).to.be.empty;
      expect(await database.jobs.insert(sampleJob({ idempotency }))).not.to.equal(null);
    });
  });

  describe('task results', () => {
    it('are replaced by task, and say which came first', async () => {
      const { jobId } = await insertJob();
      const first = await database.taskResults.put(sampleResult(jobId));
      const second = await database.taskResults.put(
        sampleResult(jobId, {
          serviceVersion: null,
          confidenceScore: null,
          resultData: { text: `$1 ? 'é😀'` },
        }),
      );
      expect([first.created, second.created]).to.deep.equal([true, false]);
      expect(second.result).to.deep.include({
        taskResultId: first.result.taskResultId,
        createdAt: first.result.createdAt,
        serviceVersion: null,
        confidenceScore: null,
      });
      expect(plain(second.result.resultData)).to.deep.equal({ text: `$1 ? 'é😀'` });
      const analysis = await database.taskResults.put(sampleResult(jobId, { taskName: 'analysis' }));
      const { items } = await database.taskResults.listByJob(jobId, ALL_OUTPUTS);
      expect(plain(items)).to.deep.equal(plain([analysis.result, second.result]));
      expect(analysis.result.taskResultId).not.to.equal(first.result.taskResultId);
      expect((await database.taskResults.listByJob(NONE, ALL_OUTPUTS)).items).to.be.empty;
    });

    it('of several jobs are written as they are one by one', async () => {
      const [one, other] = [await insertJob(), await insertJob()];
      const pose = {
        rmsdLowerBound: null,
        rmsdUpperBound: null,
        intra: null,
        unbound: -5e-324,
        reportedAffinity: null,
      };
      const poses = [{ ...pose, rank: 1, affinity: -7.5 }];
      const sent = [
        sampleResult(one.jobId, {
          poses: [],
          serviceVersion: null,
          resultData: { text: `$1 ? 'é😀'`, least: 5e-324 },
        }),
        sampleResult(one.jobId, {
          taskName: 'analysis',
          poses,
          score: { bestAffinity: -7.5, suspect: ['out_of_range'] },
        }),
        sampleResult(other.jobId, { confidenceScore: null }),
      ];
      await database.taskResults.put(sampleResult(one.jobId, { serviceVersion: '0' }));
      await database.taskResults.putAll(sent);
      const listed = async () => {
        const pages = [one, other].map(({ jobId }) => database.taskResults.listByJob(jobId, ALL_OUTPUTS));
        const results = (await Promise.all(pages)).flatMap(({ items }) => items);
        return plain(results.map(({ updatedAt: _updatedAt, ...result }) => result));
      };
      const together = await listed();
      for (const result of sent) await database.taskResults.put(result);
      expect(together).to.deep.equal(await listed());
      expect(together).to.have.length(3);
    });

    it('put at once are made once', async () => {
      const { jobId } = await insertJob();
      const puts = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          database.taskResults.put(sampleResult(jobId, { resultData: { index } })),
        ),
      );
      expect(puts.filter(({ created }) => created)).to.have.length(1);
      expect((await database.taskResults.listByJob(jobId, ALL_OUTPUTS)).items).to.have.length(1);
    });
  });

  it('artifacts come back in the order they were made, sizes beyond 32 bits included', async () => {
    const { jobId } = await insertJob();
    const common = {
      note: NOTE,
      leaseId: null,
      jobId,
      purpose: 'pose',
      uri: 's3://x?y=$1',
      contentType: null,
      sha256: null,
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
    expect(new Set(made.map(({ artifactId }) => artifactId)).size).to.equal(3);
    expect((await database.artifacts.listByJob(jobId, ALL_OUTPUTS)).items).to.deep.equal(made);
    expect((await database.artifacts.listByJob(NONE, ALL_OUTPUTS)).items).to.be.empty;

    const other = await insertJob();
    const copies = made.map(({ name, sizeBytes }) => ({ ...common, name, sizeBytes, jobId: other.jobId }));
    await database.artifacts.insertAll(copies);
    const { items } = await database.artifacts.listByJob(other.jobId, ALL_OUTPUTS);
    const ofOther = made.map(({ artifactId: _id, createdAt: _at, ...rest }) => ({
      ...rest,
      jobId: other.jobId,
    }));
    expect(items.map(({ artifactId: _id, createdAt: _at, ...rest }) => rest)).to.deep.equal(ofOther);
    const named = [
      { jobId, name: 'm' },
      { jobId: other.jobId, name: 'm' },
      { jobId, name: 'nobody' },
    ];
    const found = await database.artifacts.findByNames(named);
    expect(found).to.have.deep.members([made[2], items[2]]);
  });

  describe('input signatures', () => {
    const signature = (): string => randomBytes(32).toString('hex');

    it('are made by a job with results, with the lowest of its confidences', async () => {
      const inputSignature = signature();
      const { jobId } = await insertJob({ inputSignature });
      await database.inputSignatures.canonize([{ jobId, inputSignature }]);
      expect(await database.inputSignatures.find(inputSignature), 'without results').to.equal(null);

      await database.taskResults.put(sampleResult(jobId, { taskName: 'a', confidenceScore: 0.9 }));
      await database.taskResults.put(sampleResult(jobId, { taskName: 'b', confidenceScore: 0.25 }));
      await database.taskResults.put(sampleResult(jobId, { taskName: 'c', confidenceScore: null }));
      await database.inputSignatures.canonize([{ jobId, inputSignature }]);
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
        await database.taskResults.put(sampleResult(jobId, { confidenceScore: i / 10 }));
        await database.inputSignatures.canonize([{ jobId, inputSignature }]);
        const found = await database.inputSignatures.find(inputSignature);
        expect(found).to.include({ canonicalJobId: jobId, confidenceScore: i / 10 });
      }
    });

    it('count every use, also of many at once', async () => {
      const inputSignature = signature();
      const { jobId } = await insertJob({ inputSignature });
      await database.taskResults.put(sampleResult(jobId));
      await database.inputSignatures.canonize([{ jobId, inputSignature }]);
      const uses = await Promise.all(
        Array.from({ length: 20 }, () => database.inputSignatures.use(inputSignature)),
      );
      const counts = uses.map((use) => use?.hitCount ?? 0).toSorted((one, other) => one - other);
      expect(counts).to.deep.equal(Array.from({ length: 20 }, (_, index) => index + 1));
      expect(await database.inputSignatures.use(signature())).to.equal(null);
    });
  });
};

for (const subject of RESULTS) {
  describe(`an organization's results ${subject.name}`, function () {
    this.timeout(60_000);
    keepsResults(subject);
  });
}
