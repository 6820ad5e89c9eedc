import { expect } from 'chai';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { Claimed } from '../../application/jobs/claim-jobs.ts';
import { completeJob } from '../../application/jobs/complete-job.ts';
import { moveJob } from '../../application/jobs/move-job.ts';
import { putTaskResult } from '../../application/jobs/put-task-result.ts';
import type { Actor } from '../../application/actor.ts';
import { LeaseLostError } from '../../domain/jobs/errors.ts';
import type { ClaimedJob, JobClaim } from '../../domain/jobs/job-attempt-repository.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { claimAny, claimReady } from '../../adapters/knex/results/claim-statement.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import { sampleJob, sampleNote, sampleResult } from '../support/sample-job.ts';

const NOTE = sampleNote('tested');
/** Above, PostgreSQL would plan each of several hundred claims of a connection anew. */
const MOST_PLANNED_COST = 2000;
const WAITING_JOBS = 20_000;

const actorOf = (role: 'worker' | 'member'): Actor => ({
  principal: { userId: 'user-1', organizationId: organizationId('acme'), roles: new Set([role]) },
  requestId: 'r',
  address: null,
});
const WORKER = actorOf('worker');

const CLAIM: JobClaim = {
  worker: { name: 'node-1', version: null },
  engines: ['vina'],
  limit: 1,
  leaseSeconds: 120,
  maxRuntimeSeconds: 3600,
  maxRunningJobs: null,
};

describe('leases of jobs, side by side', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let database: ResultsDatabase;
  let release: () => void;
  let claimJobs: (results: ResultsDatabase, claim: JobClaim) => Promise<Claimed>;

  before(async () => {
    deployment = await createDeployment();
    await deployment.register('acme');
    const container = deployment.start();
    const useCases = container.get(TOKENS.useCases);
    claimJobs = (results, claim) => useCases.claimJobs(results, WORKER, claim, null);
    ({ database, release } = await container.get(TOKENS.connectionManager).acquire(organizationId('acme')));
  });
  after(async () => {
    release();
    await deployment.dispose();
  });
  beforeEach(() => execute('truncate docking_jobs cascade'));

  const execute = <Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    deployment.administer<Row>(text, values, deployment.databaseName('acme'));
  const hold = async (): Promise<ClaimedJob> => {
    await database.jobs.insert(sampleJob());
    return claimOne();
  };
  const claimOne = async (): Promise<ClaimedJob> => {
    const { items } = await claimJobs(database, CLAIM);
    const [first] = items;
    if (first === undefined) throw new Error('nothing was claimed');
    return first;
  };
  const lapse = () => execute(`update job_attempts set expires_at = now() - interval '1 second'`);
  const waiting = (count: number) =>
    until(`${count} wait for a lock`, async () => {
      const rows = await execute(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length === count;
    });
  /** Runs `work` in a transaction that stands still before its end. */
  const standing = (work: (results: ResultsDatabase) => Promise<unknown>) => {
    const gate = new Gate();
    const over = database.transaction(async (repositories) => {
      // Within it, each call runs on its connection.
      await work({ ...database, ...repositories, transaction: (inner) => inner(repositories) });
      await gate.pass();
    });
    return { gate, over };
  };
  const beatOf = ({ job, lease }: ClaimedJob) => ({
    jobId: job.jobId,
    leaseId: lease.leaseId,
    progress: null,
  });

  it('a write that waited for another claim of its job is refused', async () => {
    const late = await hold();
    await lapse();
    const claiming = standing((results) => claimJobs(results, CLAIM));
    await claiming.gate.reached;
    const { jobId } = late.job;
    const { leaseId } = late.lease;
    const { note: _note, score: _score, ...sample } = sampleResult(jobId);
    const result = { ...sample, reported: [] };
    const completion = { error: null, taskResults: [], artifacts: [], usage: null, logTail: null };
    const attempts = [
      rejectionOf(putTaskResult(database, WORKER, { ...result, leaseId })),
      rejectionOf(completeJob(database, WORKER, { jobId, leaseId, ...completion })),
      rejectionOf(moveJob(database, WORKER, { jobId, leaseId, status: 'COMPLETED', error: null })),
      // Before the claim it needed no lease: now it does.
      rejectionOf(putTaskResult(database, WORKER, result)),
    ];
    await waiting(4).finally(() => claiming.gate.open());
    await claiming.over;
    const [put, complete, move, without] = await Promise.all(attempts);
    for (const error of [put, complete, move]) expect(error).to.be.instanceOf(LeaseLostError);
    expect(without).to.have.property('code', 'lease_required');
    expect(await execute('select from task_results')).to.be.empty;
    expect((await database.jobs.find(jobId))?.status).to.equal('RUNNING');
  });

  it('a claim passes over a job whose worker is completing it, and over one whose lease is being extended', async () => {
    const [completing, beating] = [await hold(), await hold()];
    await lapse();
    const completion = { error: null, taskResults: [], artifacts: [], usage: null, logTail: null };
    const ending = standing((results) =>
      completeJob(results, WORKER, {
        jobId: completing.job.jobId,
        leaseId: completing.lease.leaseId,
        ...completion,
      }),
    );
    const extending = standing(({ attempts }) => attempts.heartbeat([beatOf(beating)]));
    await Promise.all([ending.gate.reached, extending.gate.reached]);
    const found = await claimJobs(database, { ...CLAIM, limit: 10 });
    ending.gate.open();
    extending.gate.open();
    await Promise.all([ending.over, extending.over]);
    expect(found.items).to.be.empty;
    expect(found.retryAfterSeconds).to.equal(1);
    expect((await claimJobs(database, { ...CLAIM, limit: 10 })).items, 'neither is lost').to.be.empty;
    expect((await database.jobs.find(completing.job.jobId))?.status).to.equal('COMPLETED');
  });

  it('a claim passes over waiting jobs that another claim is taking, and says that jobs wait', async () => {
    for (let i = 0; i < 3; i += 1) await database.jobs.insert(sampleJob());
    const claiming = standing((results) => claimJobs(results, { ...CLAIM, limit: 2 }));
    await claiming.gate.reached;
    const third = await claimJobs(database, { ...CLAIM, limit: 3 });
    const none = await claimJobs(database, CLAIM);
    claiming.gate.open();
    await claiming.over;
    expect(third.items).to.have.length(1);
    expect(none).to.deep.include({ items: [], retryAfterSeconds: 1 });
    expect(none.outlook?.isWaiting, 'what is being taken may come back').to.equal(true);
  });

  it('a cancellation that waited for a claim ends the attempt that the claim began', async () => {
    const { job } = await hold();
    await lapse();
    const claiming = standing((results) => claimJobs(results, CLAIM));
    await claiming.gate.reached;
    const canceling = database.transaction(({ attempts }) =>
      attempts.cancel({ campaignId: null, jobIds: [job.jobId], status: null, submittedBy: null }, 10, NOTE),
    );
    await waiting(1).finally(() => claiming.gate.open());
    await claiming.over;
    expect(await canceling).to.equal(1);
    const rows = await execute<{ outcome: string }>('select outcome from job_attempts order by started_at');
    expect(rows.map(({ outcome }) => outcome)).to.deep.equal(['LOST', 'CANCELED']);
  });

  it('heartbeats and cancellations of the same leases, named in any order, never stand in a circle', async () => {
    for (let i = 0; i < 20; i += 1) await database.jobs.insert(sampleJob());
    const { items } = await claimJobs(database, { ...CLAIM, limit: 20 });
    const beats = items.map(beatOf);
    const orders = [beats, beats.toReversed(), [...beats.slice(10), ...beats.slice(0, 10)]];
    const states = await Promise.all(
      Array.from({ length: 30 }, (_, index) => database.attempts.heartbeat(orders[index % 3] ?? [])),
    );
    for (const answered of states) expect(answered.every(({ state }) => state === 'held')).to.equal(true);
    const canceled = { campaignId: null, jobIds: null, status: null, submittedBy: null };
    const [count] = await Promise.all([
      database.transaction(({ attempts }) => attempts.cancel(canceled, 100, NOTE)),
      ...Array.from({ length: 10 }, (_, index) => database.attempts.heartbeat(orders[index % 3] ?? [])),
    ]);
    expect(count).to.equal(20);
    const after = await database.attempts.heartbeat(beats);
    expect(after.every(({ state }) => state === 'canceled')).to.equal(true);
  });

  it('a claim reads waiting jobs from the indexes in its order, with the one plan that all claims have', async () => {
    await execute(
      `insert into docking_jobs (job_id, status, engine, pipeline_version, inputs, params, priority, input_signature,
         submitted_by, created_at, not_before)
       select gen_random_uuid(), 'PENDING', 'vina', '1', '{"a": 1}', '{}', i % 7, md5(i::text) || md5(i::text), 'u',
         now() - interval '1 day' + i * interval '1 millisecond', case when i % 4 = 0 then now() + interval '1 hour' end
       from generate_series(1, $1) as i`,
      [WAITING_JOBS],
    );
    await execute(
      `insert into job_attempts (job_id, attempt, engine, worker_name, lease_seconds, expires_at, deadline_at,
         ended_at, outcome)
       select job_id, 1, engine, 'node-2', 60, now(), now(), last.at, case when last.at is not null then 'LOST' end
       from (select *, row_number() over (order by created_at) % 50 > 0 as is_over from docking_jobs) as job
       cross join lateral (select case when is_over then now() end as at) as last`,
    );
    await execute('analyze docking_jobs, job_attempts');
    const values = {
      ...{ worker: 'node-1', workerVersion: null, engines: '["vina", "gnina"]', limit: 10 },
      ...{ leaseSeconds: 120, maxRuntimeSeconds: 3600, maxRunningJobs: null, note: JSON.stringify(NOTE) },
    };
    for (const claim of [claimReady, claimAny]) {
      const plan = await execute<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${claim(values).text}`);
      const costs = / +\(cost=[\d.]+\.\.([\d.]+)[^)]*\)/;
      const lines = plan.map((row) => row['QUERY PLAN'].replace(costs, '')).join('\n');
      for (const index of ['docking_jobs_claim_idx', 'docking_jobs_delayed_idx'])
        expect(lines).to.match(
          new RegExp(
            `Limit\\n *-> +(?:LockRows\\n *-> +)?Index (?:Only )?Scan using ${index} on docking_jobs`,
          ),
        );
      expect(lines, 'of the jobs').not.to.match(/Seq Scan on docking_jobs/);
      // A bitmap scan would read the entries of all attempts that ended.
      expect(lines)
        .to.match(/Index Scan using job_attempts_live_idx/)
        .and.not.to.include('Bitmap');
      const [, cost] = costs.exec(plan[0]?.['QUERY PLAN'] ?? '') ?? [];
      expect(
        Number(cost),
        'what it costs over the plans that were made while the tables were small',
      ).to.be.below(MOST_PLANNED_COST);
    }
  });
});
