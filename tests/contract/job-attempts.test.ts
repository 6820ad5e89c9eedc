import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { DockingJob } from '../../domain/jobs/docking-job.ts';
import type { AttemptOutcome } from '../../domain/jobs/job-attempt.ts';
import type {
  ClaimedJob,
  ClaimResult,
  JobClaim,
  Settlement,
} from '../../domain/jobs/job-attempt-repository.ts';
import type { NewDockingJob } from '../../domain/jobs/docking-job-repository.ts';
import { until } from '../support/gate.ts';
import { ALL_OUTPUTS, sampleJob, sampleNote, sampleResult } from '../support/sample-job.ts';
import { RESULTS, type ResultsSubject } from './subjects.ts';

const NOTE = sampleNote('tested');
const NONE = randomUUID();
const ALL_ATTEMPTS = { limit: 1000, after: null } as const;

const claimOf = (overrides: Partial<JobClaim> = {}): JobClaim => ({
  worker: { name: 'node-1', version: '1.0.0' },
  engines: ['vina'],
  limit: 10,
  leaseSeconds: 120,
  maxRuntimeSeconds: 3600,
  maxRunningJobs: null,
  ...overrides,
});

const settlementOf = (jobId: string, overrides: Partial<Settlement> = {}): Settlement => ({
  jobId,
  status: 'COMPLETED',
  error: null,
  errorCode: null,
  attempt: 1,
  delaySeconds: 0,
  end: { outcome: 'COMPLETED', error: null, usage: null, logTail: null, releaseReason: null },
  dropsOutput: false,
  note: NOTE,
  ...overrides,
});

const idsOf = ({ claimed }: ClaimResult): readonly string[] => claimed.map(({ job }) => job.jobId);

const keepsAttempts = (subject: ResultsSubject): void => {
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
  const claim = (overrides: Partial<JobClaim> = {}): Promise<ClaimResult> =>
    database.attempts.claim(claimOf(overrides), NOTE);
  const claimOne = async (overrides: Partial<JobClaim> = {}): Promise<ClaimedJob> => {
    const { claimed } = await claim({ limit: 1, ...overrides });
    const [first] = claimed;
    if (first === undefined) throw new Error('nothing was claimed');
    return first;
  };
  const settle = async (jobId: string, overrides: Partial<Settlement> = {}): Promise<DockingJob> => {
    await database.attempts.settle([settlementOf(jobId, overrides)]);
    const job = await database.jobs.find(jobId);
    if (job === null) throw new Error('a settled job vanished');
    return job;
  };
  const ended = (outcome: AttemptOutcome, rest: Partial<Settlement['end']> = {}): Settlement['end'] => ({
    ...settlementOf('').end,
    outcome,
    ...rest,
  });
  const outcomesOf = async (jobId: string) =>
    (await database.attempts.listByJob(jobId, ALL_ATTEMPTS)).items.map(({ outcome }) => outcome);
  const beat = async ({ job, lease }: ClaimedJob, progress: { fraction: number } | null = null) => {
    const [state] = await database.attempts.heartbeat([
      { jobId: job.jobId, leaseId: lease.leaseId, progress },
    ]);
    return state;
  };

  describe('a claim', () => {
    it('gives the oldest of the highest priority first', async () => {
      const [low, high, higher] = [
        await insertJob({ priority: 1 }),
        await insertJob({ priority: 5 }),
        await insertJob({ priority: 9 }),
      ];
      // Jobs of one millisecond have no order between them.
      const insertedBy = Date.now();
      await until('the next millisecond has come', () => Date.now() > insertedBy + 1);
      const later = await insertJob({ priority: 5 });
      expect(idsOf(await claim({ limit: 3 }))).to.deep.equal([higher.jobId, high.jobId, later.jobId]);
      expect(idsOf(await claim({ limit: 3 }))).to.deep.equal([low.jobId]);
      expect(await claim()).to.deep.equal({ claimed: [], benchedSeconds: null, room: 10 });
    });

    it('gives jobs of its engines alone, in one order over all of them', async () => {
      const vina = await insertJob({ engine: 'vina', priority: 1 });
      await insertJob({ engine: 'smina' });
      const gnina = await insertJob({ engine: 'gnina', priority: 2 });
      expect(idsOf(await claim({ engines: ['vina', 'gnina', 'none'] }))).to.deep.equal([
        gnina.jobId,
        vina.jobId,
      ]);
    });

    it('moves the job, opens an attempt, and shows both', async () => {
      const { jobId, inputs, params } = await insertJob({ maxRuntimeSeconds: 60 });
      const { job, lease } = await claimOne();
      expect(job).to.deep.include({ jobId, inputs, params, status: 'RUNNING', attempt: 1, progress: null });
      expect(job.startedAt).to.be.instanceOf(Date);
      expect(job.lease).to.deep.equal({ worker: 'node-1', expiresAt: lease.expiresAt });
      expect(lease).to.include({ attempt: 1, maxRuntimeSeconds: 60 });
      // The lease ends with the longest time that the job may run.
      expect(lease.expiresAt.getTime() - (job.startedAt?.getTime() ?? 0)).to.equal(60_000);
      expect(await database.jobs.find(jobId)).to.deep.equal(job);
      expect(await outcomesOf(jobId)).to.deep.equal([null]);
    });

    it('takes a job whose lease lapsed, ahead of those that wait, and ends the attempt as lost', async () => {
      const { jobId } = await insertJob();
      const first = await claimOne();
      const waiting = await insertJob({ priority: 9 });
      expect(idsOf(await claim({ limit: 0 }))).to.be.empty;
      await subject.lapse(jobId);
      expect((await database.jobs.find(jobId))?.status, 'until somebody claims it').to.equal('RUNNING');
      const { claimed } = await claim({ worker: { name: 'node-2', version: null } });
      expect(claimed.map(({ job }) => job.jobId)).to.deep.equal([jobId, waiting.jobId]);
      const [again] = claimed;
      expect(again?.lease).to.include({ attempt: 2 });
      expect(again?.lease.leaseId).not.to.equal(first.lease.leaseId);
      expect(again?.job.lease?.worker).to.equal('node-2');
      expect(await outcomesOf(jobId)).to.deep.equal(['LOST', null]);
    });

    it('drops what was written under the lost lease, and nothing else', async () => {
      const { jobId } = await insertJob();
      const { lease } = await claimOne();
      const file = {
        name: 'a',
        purpose: 'b',
        uri: 's3://x',
        contentType: null,
        sha256: null,
        sizeBytes: null,
        checksum: null,
      };
      for (const leaseId of [lease.leaseId, null]) {
        const taskName = leaseId === null ? 'kept' : 'dropped';
        await database.taskResults.put(sampleResult(jobId, { taskName, leaseId }));
        await database.artifacts.insert({ ...file, jobId, name: taskName, leaseId, note: NOTE });
      }
      await subject.lapse(jobId);
      await claimOne();
      const results = await database.taskResults.listByJob(jobId, ALL_OUTPUTS);
      expect(results.items.map(({ taskName }) => taskName)).to.deep.equal(['kept']);
      const artifacts = await database.artifacts.listByJob(jobId, ALL_OUTPUTS);
      expect(artifacts.items.map(({ name }) => name)).to.deep.equal(['kept']);
    });

    it('fails a job whose last attempt was lost, and gives others in its place', async () => {
      const poison = await insertJob({ maxAttempts: 2 });
      for (const attempt of [1, 2]) {
        expect((await claimOne()).lease.attempt).to.equal(attempt);
        await subject.lapse(poison.jobId);
      }
      const waiting = await insertJob();
      expect(idsOf(await claim({ limit: 1 }))).to.deep.equal([waiting.jobId]);
      const failed = await database.jobs.find(poison.jobId);
      expect(failed).to.include({
        status: 'FAILED',
        errorCode: 'attempts_exhausted',
        lease: null,
        attempt: 2,
      });
      expect(failed?.completedAt).to.be.instanceOf(Date);
      expect(await outcomesOf(poison.jobId)).to.deep.equal(['LOST', 'LOST']);
    });

    it('ends the lapsed attempt of a job that was moved without it, and leaves the job alone', async () => {
      const { jobId } = await insertJob();
      await claimOne();
      const moved = await database.jobs.setStatus(jobId, 'COMPLETED', null, NOTE);
      await subject.lapse(jobId);
      expect((await claim()).claimed).to.be.empty;
      expect(await database.jobs.find(jobId)).to.deep.equal(moved);
      expect(await outcomesOf(jobId)).to.deep.equal(['LOST']);
    });

    it('leaves a job alone that waits for a moment', async () => {
      const { jobId } = await insertJob();
      await claimOne();
      const end = ended('RELEASED');
      const back = await settle(jobId, { status: 'PENDING', attempt: 0, delaySeconds: 60, end });
      expect(back).to.include({
        status: 'PENDING',
        attempt: 0,
        startedAt: null,
        completedAt: null,
        lease: null,
      });
      expect((await claim()).claimed).to.be.empty;
      const urgent = await insertJob({ priority: 1 });
      await subject.passTime();
      expect(idsOf(await claim())).to.deep.equal([urgent.jobId, jobId]);
    });

    for (const maxRunningJobs of [null, 2])
      it(`gives a job that is due in its place among those that wait, with a quota of ${maxRunningJobs}`, async () => {
        const { jobId } = await insertJob({ priority: 5 });
        await claimOne();
        await settle(jobId, { status: 'PENDING', delaySeconds: 60, end: ended('RELEASED') });
        const waiting = await insertJob({ priority: 4 });
        await subject.passTime();
        for (const next of [jobId, waiting.jobId])
          expect(idsOf(await claim({ limit: 1, maxRunningJobs }))).to.deep.equal([next]);
      });

    it('gives no more jobs than one answer can hold, and the others to the next', async () => {
      const text = 'x'.repeat(1_500_000);
      const jobs = [];
      for (let i = 0; i < 4; i += 1) jobs.push((await insertJob({ inputs: { text } })).jobId);
      expect(idsOf(await claim())).to.deep.equal(jobs.slice(0, 2));
      expect(idsOf(await claim())).to.deep.equal(jobs.slice(2));
    });

    it('gives no more jobs than may run at a time; leases that lapsed do not count', async () => {
      for (let i = 0; i < 5; i += 1) await insertJob();
      const first = await claim({ maxRunningJobs: 3 });
      expect(first.claimed).to.have.length(3);
      expect(await claim({ maxRunningJobs: 3 })).to.deep.include({ claimed: [], room: 0 });
      await subject.lapse(first.claimed[1]?.job.jobId ?? '');
      expect(idsOf(await claim({ maxRunningJobs: 3 }))).to.deep.equal([first.claimed[1]?.job.jobId]);
    });

    it('gives nothing to a worker that failed three times in a row, and jobs to others', async () => {
      for (let i = 0; i < 6; i += 1) await insertJob();
      const fail = async (code: string, worker: string): Promise<void> => {
        const { job } = await claimOne({ worker: { name: worker, version: null } });
        const end = ended('FAILED', { error: { code, message: 'm', retryable: false } });
        await settle(job.jobId, { status: 'FAILED', end });
      };
      await fail('engine_error', 'broken');
      await fail('engine_error', 'broken');
      await fail('unsupported_input', 'broken');
      await fail('engine_error', 'broken');
      const refused = await claim({ worker: { name: 'broken', version: null } });
      expect(refused.claimed).to.be.empty;
      expect(refused.benchedSeconds).to.be.within(590, 600);
      expect((await claim({ worker: { name: 'whole', version: null } })).claimed).to.have.length(2);
    });

    it('gives jobs to a worker whose failures are not its own', async () => {
      const codes = ['unsupported_input', 'no_poses', 'input_unavailable', 'outputs_refused'];
      for (const code of codes.flatMap((each) => [each, each, each])) {
        await insertJob();
        const { job } = await claimOne();
        await settle(job.jobId, {
          status: 'FAILED',
          end: ended('FAILED', { error: { code, message: 'm', retryable: false } }),
        });
      }
      expect((await claim()).benchedSeconds).to.equal(null);
    });

    it('gives jobs to a worker that succeeded between its failures', async () => {
      for (let i = 0; i < 4; i += 1) await insertJob();
      for (const status of ['FAILED', 'FAILED', 'COMPLETED', 'FAILED'] as const) {
        const { job } = await claimOne();
        await settle(job.jobId, { status, end: ended(status) });
      }
      expect((await claim()).benchedSeconds).to.equal(null);
    });

    it('at the same time as others gets jobs that none of them gets', async () => {
      for (let i = 0; i < 20; i += 1) await insertJob();
      const claims = await Promise.all(Array.from({ length: 10 }, () => claim({ limit: 3 })));
      const ids = claims.flatMap(idsOf);
      expect(new Set(ids).size).to.equal(ids.length);
      while (ids.length < 20) {
        const more = idsOf(await claim({ limit: 50 }));
        expect(more).not.to.be.empty;
        ids.push(...more);
      }
      expect(new Set(ids).size).to.equal(20);
    });
  });

  describe('what else there is', () => {
    it('is nothing without jobs, waiting jobs, or the moment when the next is due', async () => {
      expect(await database.attempts.outlook(['vina'])).to.deep.equal({
        isWaiting: false,
        dueInSeconds: null,
      });
      const { jobId } = await insertJob();
      expect((await database.attempts.outlook(['vina'])).isWaiting).to.equal(true);
      expect((await database.attempts.outlook(['gnina'])).isWaiting).to.equal(false);
      await claimOne();
      const held = await database.attempts.outlook(['vina', 'gnina']);
      expect(held.isWaiting).to.equal(false);
      expect(held.dueInSeconds).to.be.within(110, 120);
      await settle(jobId, { status: 'PENDING', delaySeconds: 30, end: ended('RELEASED') });
      expect((await database.attempts.outlook(['vina'])).dueInSeconds).to.be.within(20, 30);
    });
  });

  describe('a heartbeat', () => {
    it('extends what is held, lapsed or not, and keeps what the worker says of it', async () => {
      const { jobId } = await insertJob();
      const held = await claimOne();
      await subject.lapse(jobId);
      const state = await beat(held, { fraction: 0.5 });
      expect(state?.state).to.equal('held');
      expect(state?.expiresAt?.getTime()).to.be.at.least(held.lease.expiresAt.getTime());
      const job = await database.jobs.find(jobId);
      expect(job?.progress).to.deep.equal({ fraction: 0.5 });
      expect(job?.lease?.expiresAt).to.deep.equal(state?.expiresAt);
      await beat(held);
      expect((await database.jobs.find(jobId))?.progress, 'kept').to.deep.equal({ fraction: 0.5 });
      expect((await claim()).claimed).to.be.empty;
    });

    it('tells each lease among many what became of it', async () => {
      const jobs = [];
      for (let i = 0; i < 4; i += 1) jobs.push(await insertJob());
      const { claimed } = await claim();
      const [held, canceled, lost, completed] = claimed;
      if (!held || !canceled || !lost || !completed) throw new Error('not all were claimed');
      await database.transaction(({ attempts }) =>
        attempts.cancel(
          { campaignId: null, jobIds: [canceled.job.jobId], status: null, submittedBy: null },
          10,
          NOTE,
        ),
      );
      await subject.lapse(lost.job.jobId);
      await claimOne();
      await settle(completed.job.jobId);
      const beats = [...claimed, held].map(({ job, lease }) => ({
        jobId: job.jobId,
        leaseId: lease.leaseId,
        progress: null,
      }));
      const states = await database.attempts.heartbeat([
        ...beats,
        { jobId: NONE, leaseId: held.lease.leaseId, progress: null },
        { jobId: held.job.jobId, leaseId: NONE, progress: null },
      ]);
      expect(states.map(({ state }) => state)).to.deep.equal([
        'held',
        'canceled',
        'lost',
        'lost',
        'held',
        'lost',
        'lost',
      ]);
      expect(states.filter(({ expiresAt }) => expiresAt !== null)).to.have.length(2);
    });

    it('extends nothing of a job that has run for as long as it may', async () => {
      await insertJob();
      const held = await claimOne();
      await subject.passTime();
      expect(await beat(held)).to.deep.equal({ state: 'lost', expiresAt: null });
    });
  });

  describe('an end', () => {
    it('of an attempt is kept with what its worker says, and the job with it', async () => {
      const { jobId } = await insertJob();
      const { lease } = await claimOne();
      const error = { code: 'engine_error', message: 'no $1 ?', retryable: false };
      const usage = { wallSeconds: 1.5 };
      const end = ended('FAILED', { error, usage, logTail: 'a ?\nb $1' });
      const failed = await settle(jobId, {
        status: 'FAILED',
        error: error.message,
        errorCode: error.code,
        end,
      });
      expect(failed).to.include({
        status: 'FAILED',
        error: 'no $1 ?',
        errorCode: 'engine_error',
        lease: null,
      });
      expect(await database.jobs.find(jobId)).to.deep.equal(failed);
      const { items } = await database.attempts.listByJob(jobId, ALL_ATTEMPTS);
      expect(items).to.have.length(1);
      expect(items[0]).to.deep.include({
        leaseId: lease.leaseId,
        attempt: 1,
        worker: { name: 'node-1', version: '1.0.0' },
        outcome: 'FAILED',
        error,
        usage,
        logTail: 'a ?\nb $1',
        releaseReason: null,
      });
      expect(items[0]?.endedAt).to.be.instanceOf(Date);
      expect(await database.attempts.hasLive(jobId)).to.equal(false);
    });

    it('drops what the lease wrote when another attempt follows', async () => {
      const { jobId } = await insertJob();
      const { lease } = await claimOne();
      await database.taskResults.put(sampleResult(jobId, { leaseId: lease.leaseId }));
      await settle(jobId, { status: 'PENDING', end: ended('FAILED'), dropsOutput: true });
      expect((await database.taskResults.listByJob(jobId, ALL_OUTPUTS)).items).to.be.empty;
    });

    it('is one of several, each with what became of it, and locked with the others in any order', async () => {
      for (let i = 0; i < 3; i += 1) await insertJob({ priority: 3 - i });
      const { claimed } = await claim({ limit: 3 });
      const [first, second, third] = claimed.map(({ job, lease: { leaseId } }) => ({
        jobId: job.jobId,
        leaseId,
      }));
      if (!first || !second || !third) throw new Error('a claim got too few');
      const error = { code: 'engine_error', message: 'it crashed', retryable: true };
      const usage = { wallSeconds: 1.5, cpuSeconds: 6 };
      const completed = { ...settlementOf('').end, usage, logTail: 'end of the log' };
      for (const { jobId, leaseId } of [first, third])
        await database.taskResults.put(sampleResult(jobId, { leaseId }));
      await database.attempts.settle([
        settlementOf(third.jobId, {
          status: 'PENDING',
          delaySeconds: 60,
          end: { ...ended('FAILED'), error },
          dropsOutput: true,
          note: sampleNote('third'),
        }),
        settlementOf(first.jobId, { end: completed, note: sampleNote('first') }),
      ]);
      const locked = await database.transaction(({ attempts }) =>
        attempts.lock([third, { ...first, leaseId: second.leaseId }, second, first]),
      );
      expect(locked.map((each) => each?.outcome)).to.deep.equal(['FAILED', undefined, null, 'COMPLETED']);
      expect(locked.map((each) => each?.job.status)).to.deep.equal([
        'PENDING',
        undefined,
        'RUNNING',
        'COMPLETED',
      ]);
      const outputsOf = async ({ jobId }: { jobId: string }) =>
        (await database.taskResults.listByJob(jobId, ALL_OUTPUTS)).items.length;
      expect(
        [await outputsOf(first), await outputsOf(third)],
        'of the one that is tried again',
      ).to.deep.equal([1, 0]);
      const attemptOf = async ({ jobId }: { jobId: string }) =>
        (await database.attempts.listByJob(jobId, ALL_ATTEMPTS)).items[0];
      expect(await attemptOf(first)).to.deep.include({
        outcome: 'COMPLETED',
        error: null,
        usage,
        logTail: 'end of the log',
      });
      expect(await attemptOf(third)).to.deep.include({
        outcome: 'FAILED',
        error,
        usage: null,
        logTail: null,
      });
      expect(idsOf(await claim()), 'it waits for a moment').to.be.empty;
    });

    it('is seen by who locks the job with its lease', async () => {
      const { jobId } = await insertJob();
      const { lease } = await claimOne();
      const lock = async (job: string, leaseId: string) => {
        const leases = [{ jobId: job, leaseId }];
        const [locked] = await database.transaction(({ attempts }) => attempts.lock(leases));
        return locked;
      };
      const held = await lock(jobId, lease.leaseId);
      expect(held?.outcome).to.equal(null);
      expect(held?.job).to.include({ jobId, status: 'RUNNING', attempt: 1 });
      expect(held?.job).not.to.have.any.keys('lease', 'inputs');
      await settle(jobId);
      expect((await lock(jobId, lease.leaseId))?.outcome).to.equal('COMPLETED');
      expect(await lock(NONE, lease.leaseId)).to.equal(null);
      expect(await lock(jobId, NONE)).to.equal(null);
    });

    it('because a worker could not run the job is counted', async () => {
      const { jobId } = await insertJob();
      for (const releaseReason of ['cannot_run', 'shutdown', 'cannot_run'] as const) {
        await claimOne();
        await settle(jobId, { status: 'PENDING', attempt: 0, end: ended('RELEASED', { releaseReason }) });
      }
      expect(await database.attempts.countCannotRun(jobId)).to.equal(2);
      const { items } = await database.attempts.listByJob(jobId, ALL_ATTEMPTS);
      expect(
        items.map(({ attempt }) => attempt),
        'each was given back',
      ).to.deep.equal([1, 1, 1]);
    });
  });

  describe('a bulk cancellation', () => {
    const cancel = (overrides: object = {}, limit = 100): Promise<number> =>
      database.transaction(({ attempts }) =>
        attempts.cancel(
          { campaignId: null, jobIds: null, status: null, submittedBy: null, ...overrides },
          limit,
          NOTE,
        ),
      );

    it('takes what waits and what runs, of one submitter or all, and nothing that is over', async () => {
      const [running, own, others] = [
        await insertJob(),
        await insertJob(),
        await insertJob({ submittedBy: 'user-2' }),
      ];
      await claimOne();
      const over = await insertJob({ priority: 1 });
      await claimOne();
      await settle(over.jobId);
      const jobIds = [running, own, others, over].map(({ jobId }) => jobId);
      expect(await cancel({ jobIds: [NONE] })).to.equal(0);
      expect(await cancel({ jobIds, submittedBy: 'user-2', status: 'RUNNING' })).to.equal(0);
      expect(await cancel({ jobIds, status: 'RUNNING' })).to.equal(1);
      expect(await outcomesOf(running.jobId)).to.deep.equal(['CANCELED']);
      expect(await cancel({ submittedBy: 'user-1' })).to.equal(1);
      const statuses = [];
      for (const jobId of jobIds) statuses.push((await database.jobs.find(jobId))?.status);
      expect(statuses).to.deep.equal(['CANCELED', 'CANCELED', 'PENDING', 'COMPLETED']);
    });

    it('takes as many as it is told, and says how many that were', async () => {
      for (let i = 0; i < 5; i += 1) await insertJob();
      expect([await cancel({}, 3), await cancel({}, 3), await cancel({}, 3)]).to.deep.equal([3, 2, 0]);
    });
  });

  it('the attempts of a job come page by page, in the order in which they began', async () => {
    const { jobId } = await insertJob();
    const leases = [];
    for (let i = 0; i < 5; i += 1) {
      leases.push((await claimOne()).lease.leaseId);
      await settle(jobId, { status: 'PENDING', attempt: 0, end: ended('RELEASED') });
    }
    const first = await database.attempts.listByJob(jobId, { limit: 3, after: null });
    const rest = await database.attempts.listByJob(jobId, { limit: 3, after: first.next });
    const { items } = await database.attempts.listByJob(jobId, ALL_ATTEMPTS);
    expect([...first.items, ...rest.items]).to.deep.equal(items);
    expect(items.map(({ leaseId }) => leaseId)).to.have.members(leases);
    const times = items.map(({ startedAt }) => startedAt.getTime());
    expect(times).to.deep.equal(times.toSorted((one, other) => one - other));
    expect(rest.next).to.equal(null);
    expect((await database.attempts.listByJob(NONE, ALL_ATTEMPTS)).items).to.be.empty;
  });
};

for (const subject of RESULTS) {
  describe(`the attempts of jobs ${subject.name}`, function () {
    this.timeout(60_000);
    keepsAttempts(subject);
  });
}
