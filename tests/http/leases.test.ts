import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { RFC3339_UTC, UUID, type Job, type Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import type { Reply } from '../support/send.ts';

interface Claim {
  readonly items: readonly {
    readonly job: Job;
    readonly lease: {
      readonly lease_id: string;
      readonly attempt: number;
      readonly expires_at: string;
      readonly max_runtime_seconds: number;
    };
  }[];
  readonly retry_after_seconds: number;
}
interface Held {
  readonly job: Job;
  readonly leaseId: string;
}
interface Attempt {
  readonly attempt: number;
  readonly worker: { readonly name: string; readonly version: string | null };
  readonly ended_at: string | null;
  readonly outcome: string | null;
  readonly release_reason: string | null;
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | null;
  readonly usage: { readonly wall_seconds: number | null; readonly cpu_seconds: number | null } | null;
  readonly log_tail: string | null;
}
interface Items<Item> {
  readonly items: readonly Item[];
}

const RESULT = { service_name: 'vina', result_data: { affinity: -12.9 } };
const FILE = { name: 'poses.pdbqt', purpose: 'poses', uri: 's3://bucket/poses.pdbqt' };
const FAILURE = { code: 'engine_error', message: 'it broke', retryable: false };

describe('Leases over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let member: Caller;
  let worker: Caller;
  let administrator: Caller;
  let serial = 0;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
    member = service.as(deployment.token('alpha', ['member']));
    worker = service.as(deployment.token('alpha', ['worker'], { sub: 'worker-1' }));
    administrator = service.as(deployment.token('alpha', ['org_admin'], { sub: 'admin-1' }));
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  /** Each test has engines of its own, so that none claims another's jobs. */
  const newEngine = (): string => `engine-${(serial += 1)}`;
  const inResults = <Row>(sql: string, ...values: readonly unknown[]): Promise<readonly Row[]> =>
    deployment.administer<Row>(sql, values, deployment.databaseName('alpha'));
  const submit = async (engine: string, more: object = {}, by = member): Promise<Job> => {
    const { status, body } = await by.post<Job>('/jobs', { engine, inputs: { ligand: serial }, ...more });
    expect(status).to.equal(201);
    return body;
  };
  /** By default of a worker that has no failures of other tests. */
  const claim = (engine: string, more: object = {}, name = `node of ${engine}`) =>
    worker.post<Claim>('/jobs/claim', { worker: { name }, engines: [engine], limit: 10, ...more });
  const claimOne = async (engine: string, name?: string): Promise<Held> => {
    const { body } = await claim(engine, { limit: 1 }, name);
    const [item] = body.items;
    if (item === undefined) throw new Error('nothing was claimed');
    return { job: item.job, leaseId: item.lease.lease_id };
  };
  const hold = async (more: object = {}): Promise<Held & { readonly engine: string }> => {
    const engine = newEngine();
    await submit(engine, more);
    return { engine, ...(await claimOne(engine)) };
  };
  const lapse = (...jobs: readonly Job[]) =>
    inResults(
      `update job_attempts set expires_at = now() - interval '1 second' where job_id = any($1) and ended_at is null`,
      jobs.map(({ job_id: id }) => id),
    );
  const complete = ({ job, leaseId }: Held, more: object = {}, by = worker) =>
    by.post<Job & Problem>(`/jobs/${job.job_id}/complete`, {
      lease_id: leaseId,
      outcome: 'COMPLETED',
      ...more,
    });
  const fail = (held: Held, more: object = {}) =>
    complete(held, { outcome: 'FAILED', error: { ...FAILURE, ...more } });
  const release = ({ job, leaseId }: Held, reason = 'shutdown', more: object = {}) =>
    worker.post<Problem>(`/jobs/${job.job_id}/release`, { lease_id: leaseId, reason, ...more });
  const beat = async (...held: readonly Held[]) => {
    const leases = held.map(({ job, leaseId }) => ({ job_id: job.job_id, lease_id: leaseId }));
    const { status, body } = await worker.post<Items<{ job_id: string; state: string }>>('/jobs/heartbeat', {
      leases,
    });
    expect(status).to.equal(200);
    return body.items.map(({ state }) => state);
  };
  const limitRunning = async (most: number | null): Promise<void> => {
    await administrator.patch('/organizations/alpha/settings', { settings: { max_running_jobs: most } });
    const policies = service.container.get(TOKENS.organizationPolicies);
    await until(
      'the process knows',
      () => policies.policyOf(organizationId('alpha')).maxRunningJobs === (most ?? undefined),
    );
  };
  const show = async ({ job_id: id }: Job): Promise<Job> => (await member.get<Job>(`/jobs/${id}`)).body;
  const attemptsOf = async ({ job_id: id }: Job): Promise<readonly Attempt[]> =>
    (await member.get<Items<Attempt>>(`/jobs/${id}/attempts`)).body.items;
  const outcomesOf = async (job: Job) => (await attemptsOf(job)).map(({ outcome }) => outcome);
  const outputsOf = async ({ job_id: id }: Job): Promise<readonly number[]> => {
    const results = await member.get<Items<object>>(`/jobs/${id}/task-results`);
    const artifacts = await member.get<Items<object>>(`/jobs/${id}/artifacts`);
    return [results.body.items.length, artifacts.body.items.length];
  };
  const codeOf = ({ status, body }: Reply<Problem>) => [status, body.code];
  const withLease = (leaseId: string) => ({ 'X-Lease-Id': leaseId });

  describe('a claim', () => {
    it('gives the oldest of the highest priority first', async () => {
      const engine = newEngine();
      const old = await submit(engine);
      const urgent = await submit(engine, { priority: 9 });
      const late = await submit(engine, { priority: 9 });
      const { status, body } = await claim(engine, { lease_seconds: 300 });
      expect(status).to.equal(200);
      expect(body.items.map(({ job }) => job.job_id)).to.deep.equal(
        [urgent, late, old].map(({ job_id: id }) => id),
      );
      for (const { job, lease } of body.items) {
        expect(job).to.deep.include({ status: 'RUNNING', attempt: 1, engine });
        expect(job.lease).to.deep.equal({ worker: `node of ${engine}`, expires_at: lease.expires_at });
        expect(lease.lease_id).to.match(UUID);
        expect(lease.expires_at).to.match(RFC3339_UTC);
        expect(lease).to.include({ attempt: 1, max_runtime_seconds: 24 * 3600 });
        expect(Date.parse(lease.expires_at) - Date.parse(job.started_at ?? '')).to.equal(300_000);
      }
      expect(await show(urgent)).to.deep.equal(body.items[0]?.job);
    });

    it('without jobs is empty, and says when another makes sense', async () => {
      const { status, body } = await claim(newEngine());
      expect([status, body.items]).to.deep.equal([200, []]);
      expect(body.retry_after_seconds).to.be.within(1, 5);
    });

    it('of two workers at once is of different jobs', async () => {
      const engine = newEngine();
      for (let i = 0; i < 6; i += 1) await submit(engine);
      const claims = await Promise.all([
        claim(engine, { limit: 3 }, 'node-1'),
        claim(engine, { limit: 3 }, 'node-2'),
        claim(engine, { limit: 3 }, 'node-3'),
      ]);
      const ids = claims.flatMap(({ body }) => body.items.map(({ job }) => job.job_id));
      expect(new Set(ids).size).to.equal(ids.length);
    });

    it("finds a killed worker's job once its lease has lapsed, and not before", async () => {
      const { engine, job } = await hold();
      expect((await claim(engine, {}, 'node-2')).body.items).to.be.empty;
      await lapse(job);
      const again = await claimOne(engine, 'node-2');
      expect(again.job).to.deep.include({ job_id: job.job_id, attempt: 2 });
      expect(await outcomesOf(job)).to.deep.equal(['LOST', null]);
    });

    it('fails a poison job after three attempts', async () => {
      const { engine, job } = await hold();
      await lapse(job);
      await claimOne(engine, 'node-2');
      await lapse(job);
      await claimOne(engine, 'node-3');
      await lapse(job);
      expect((await claim(engine, {}, 'node-4')).body.items).to.be.empty;
      expect(await show(job)).to.include({ status: 'FAILED', error_code: 'attempts_exhausted', attempt: 3 });
      expect(await outcomesOf(job)).to.deep.equal(['LOST', 'LOST', 'LOST']);
    });

    it('drops half a result of a lost attempt, so that it becomes no part of the next', async () => {
      const { engine, job, leaseId } = await hold();
      const path = `/jobs/${job.job_id}`;
      await worker.put(`${path}/task-results/docking`, RESULT, withLease(leaseId));
      await worker.post(`${path}/artifacts`, FILE, withLease(leaseId));
      expect(await outputsOf(job)).to.deep.equal([1, 1]);
      await lapse(job);
      await claimOne(engine, 'node-2');
      expect(await outputsOf(job)).to.deep.equal([0, 0]);
    });

    it('ranks what the last attempt found, and nothing that a lost or released one had written', async () => {
      const { body: campaign } = await member.post<{ campaign_id: string }>('/campaigns', { name: 'c' });
      const { engine, job, leaseId: lost } = await hold({ campaign_id: campaign.campaign_id });
      const write = async (lease: string, affinity: number): Promise<void> => {
        const poses = [{ rank: 1, affinity_kcal_mol: affinity }];
        const path = `/jobs/${job.job_id}`;
        // Each under a name of its own: none replaces another.
        const result = await worker.put(
          `${path}/task-results/t${-affinity}`,
          { ...RESULT, poses },
          withLease(lease),
        );
        expect(result.status).to.equal(201);
        await worker.post(`${path}/artifacts`, { ...FILE, name: `${affinity}` }, withLease(lease));
      };
      await write(lost, -12);
      await lapse(job);
      const released = await claimOne(engine, 'node-2');
      await write(released.leaseId, -11);
      expect((await release(released)).status).to.equal(204);
      expect(await outputsOf(job)).to.deep.equal([0, 0]);
      const last = await claimOne(engine, 'node-3');
      await write(last.leaseId, -9);
      expect((await complete(last)).status).to.equal(200);
      expect(await outputsOf(job)).to.deep.equal([1, 1]);
      const { body } = await member.get<
        Items<{ job_id: string; best_affinity_kcal_mol: number; artifacts: { poses: string } }>
      >(`/campaigns/${campaign.campaign_id}/results`);
      expect(body.items.map((item) => item.best_affinity_kcal_mol)).to.deep.equal([-9]);
      const artifacts = await member.get<Items<{ artifact_id: string }>>(`/jobs/${job.job_id}/artifacts`);
      expect(body.items[0]?.artifacts.poses).to.equal(artifacts.body.items[0]?.artifact_id);
    });

    it('gives no jobs to a worker that fails everything, and says for how long', async () => {
      const engine = newEngine();
      for (let i = 0; i < 4; i += 1) await submit(engine);
      for (let i = 0; i < 3; i += 1) await fail(await claimOne(engine, 'black-hole'));
      const refused = await worker.post<Problem>('/jobs/claim', {
        worker: { name: 'black-hole' },
        engines: [engine],
        limit: 1,
      });
      expect(codeOf(refused)).to.deep.equal([429, 'worker_benched']);
      expect(Number(refused.headers['retry-after'])).to.be.within(500, 600);
      expect((await claim(engine, {}, 'sound')).body.items).to.have.length(1);
    });

    it('gives no more jobs than the organization may run at a time, also to many claims at once', async () => {
      const engine = newEngine();
      for (let i = 0; i < 4; i += 1) await submit(engine);
      const running = await inResults(
        'select from job_attempts where ended_at is null and expires_at > now()',
      );
      await limitRunning(running.length + 2);
      try {
        const claims = await Promise.all(
          Array.from({ length: 4 }, () =>
            worker.post<Claim & Problem>('/jobs/claim', {
              worker: { name: 'node-1' },
              engines: [engine],
              limit: 1,
            }),
          ),
        );
        expect(claims.filter(({ status }) => status === 200)).to.have.length(2);
        for (const reply of claims.filter(({ status }) => status !== 200)) {
          expect(codeOf(reply)).to.deep.equal([429, 'quota_exceeded']);
          expect(Number(reply.headers['retry-after'])).to.be.greaterThan(0);
        }
      } finally {
        await limitRunning(null);
      }
    });

    it('leaves one entry in the trail, however many jobs it got, and none when it got none', async () => {
      const engine = newEngine();
      const jobs = [await submit(engine), await submit(engine)];
      await inResults('delete from audit_outbox');
      const { body } = await claim(engine);
      await claim(engine);
      const entries = await inResults<{ entity_type: string; details: { lease_expires_at: string } }>(
        `select entity_type, details from audit_outbox where action = 'job.claimed'`,
      );
      expect(entries).to.have.length(1);
      expect(entries[0]?.entity_type).to.equal('job_claim');
      expect(entries[0]?.details).to.deep.include({
        status: 'RUNNING',
        worker: `node of ${engine}`,
        engines: { [engine]: 2 },
        job_ids: jobs.map(({ job_id: id }) => id),
      });
      expect(new Date(entries[0]?.details.lease_expires_at ?? '').toISOString()).to.equal(
        body.items[0]?.lease.expires_at,
      );
    });
  });

  describe('a heartbeat', () => {
    it('extends the lease and shows how far the worker has come', async () => {
      const held = await hold();
      await lapse(held.job);
      const { body } = await worker.post<Items<{ expires_at: string }>>('/jobs/heartbeat', {
        leases: [
          {
            job_id: held.job.job_id,
            lease_id: held.leaseId,
            progress: { fraction: 0.25, message: 'docking' },
          },
        ],
      });
      const job = await show(held.job);
      expect(job.progress).to.deep.equal({ fraction: 0.25, message: 'docking' });
      expect(job.lease).to.deep.equal({
        worker: `node of ${held.engine}`,
        expires_at: body.items[0]?.expires_at,
      });
      expect(Date.parse(job.lease?.expires_at ?? '')).to.be.greaterThan(Date.now());
    });

    it('hears of a cancellation, single or in bulk, and the later completion is refused', async () => {
      const [one, many, held] = [await hold(), await hold(), await hold()];
      await member.patch(`/jobs/${one.job.job_id}`, { status: 'CANCELED' });
      await member.post('/jobs/cancel', { job_ids: [many.job.job_id] });
      expect(await beat(one, many, held)).to.deep.equal(['canceled', 'canceled', 'held']);
      for (const canceled of [one, many]) {
        expect(codeOf(await complete(canceled))).to.deep.equal([409, 'job_state_conflict']);
        expect(await outcomesOf(canceled.job)).to.deep.equal(['CANCELED']);
        expect(await show(canceled.job)).to.include({ status: 'CANCELED', lease: null });
      }
    });

    it('is no error for one lost lease among many, nor for ids that nobody knows', async () => {
      const [lost, held] = [await hold(), await hold()];
      await lapse(lost.job);
      await claimOne(lost.engine, 'node-2');
      const unknown = { job: held.job, leaseId: randomUUID() };
      expect(await beat(lost, held, unknown)).to.deep.equal(['lost', 'held', 'lost']);
    });

    it('of a job that has run for as long as it may is lost, and the next claim finds it', async () => {
      const { engine, ...held } = await hold({ max_runtime_seconds: 60 });
      await inResults(
        `update job_attempts set deadline_at = now() - interval '1 second', expires_at = now() - interval '1 second'
         where lease_id = $1`,
        held.leaseId,
      );
      expect(await beat(held)).to.deep.equal(['lost']);
      expect((await claimOne(engine)).job.job_id).to.equal(held.job.job_id);
    });

    it('leaves no audit entry, and updates its rows in place', async () => {
      const engine = newEngine();
      for (let i = 0; i < 50; i += 1) await submit(engine);
      const { body } = await claim(engine, { limit: 50 });
      const held = body.items.map(({ job, lease }) => ({ job, leaseId: lease.lease_id }));
      const entries = () => inResults('select from audit_outbox');
      const counts = async () => {
        const [row] = await inResults<{ updates: number; hot: number }>(
          `select n_tup_upd::integer as updates, n_tup_hot_upd::integer as hot from pg_stat_user_tables
           where relname = 'job_attempts'`,
        );
        return row ?? { updates: 0, hot: 0 };
      };
      const flush = () => inResults('select pg_stat_force_next_flush()');
      await flush();
      const [entriesBefore, before] = [await entries(), await counts()];
      for (let i = 0; i < 20; i += 1) await beat(...held);
      await until(
        'the sessions have reported what they did',
        async () => (await counts()).updates - before.updates >= 1000,
      );
      const after = await counts();
      const updates = after.updates - before.updates;
      expect(updates).to.be.at.least(1000);
      expect((after.hot - before.hot) / updates, 'updated in place').to.be.greaterThan(0.9);
      expect(await entries()).to.have.length(entriesBefore.length);
    });
  });

  describe('a completion', () => {
    it('ends several at once: what is lost, canceled or not there keeps none of the others from its end', async () => {
      const [good, lost, canceled] = [await hold(), await hold(), await hold()];
      await inResults(
        `update job_attempts set ended_at = now(), outcome = 'LOST' where lease_id = $1`,
        lost.leaseId,
      );
      await member.post(`/jobs/cancel`, { job_ids: [canceled.job.job_id] });
      const nobody = randomUUID();
      const items = [
        ...[lost, canceled].map(({ job, leaseId }) => ({ job_id: job.job_id, lease_id: leaseId })),
        { job_id: nobody, lease_id: good.leaseId },
        {
          job_id: good.job.job_id,
          lease_id: good.leaseId,
          task_results: [{ task_name: 'docking', ...RESULT }],
        },
      ].map((item) => ({ ...item, outcome: 'COMPLETED' }));
      const completeAll = () => worker.post<Items<object>>('/jobs/complete', { items });
      const { status, body } = await completeAll();
      expect(status).to.equal(200);
      expect(body.items).to.deep.equal([
        { job_id: lost.job.job_id, status: null, code: 'lease_lost' },
        { job_id: canceled.job.job_id, status: null, code: 'job_state_conflict' },
        { job_id: nobody, status: null, code: 'job_not_found' },
        { job_id: good.job.job_id, status: 'COMPLETED', code: null },
      ]);
      expect((await completeAll()).body, 'sent again').to.deep.equal(body);
      const rows = await inResults(
        'select job_id from task_results where job_id = any($1::uuid[])',
        items.map(({ job_id: jobId }) => jobId),
      );
      expect(rows).to.deep.equal([{ job_id: good.job.job_id }]);
    });

    it('takes each job once among several', async () => {
      const { job, leaseId } = await hold();
      const item = { job_id: job.job_id, lease_id: leaseId, outcome: 'COMPLETED' };
      const { status, body } = await worker.post<Problem>('/jobs/complete', { items: [item, item] });
      expect(status).to.equal(422);
      expect(body.errors?.map(({ path }) => path)).to.deep.equal(['items']);
    });

    it('brings results, files, usage and the end of the log in one piece', async () => {
      const held = await hold();
      const { status, body } = await complete(held, {
        task_results: [
          { task_name: 'docking', ...RESULT, confidence_score: 0.5 },
          { task_name: 'analysis', ...RESULT },
        ],
        artifacts: [FILE],
        usage: { wall_seconds: 1.5 },
        log_tail: 'done\u0007\r\n\tend',
      });
      expect([status, body.status, body.lease]).to.deep.equal([200, 'COMPLETED', null]);
      expect(body.completed_at).to.match(RFC3339_UTC);
      expect(await show(held.job)).to.deep.equal(body);
      expect(await outputsOf(held.job)).to.deep.equal([2, 1]);
      const [attempt] = await attemptsOf(held.job);
      expect(attempt).to.deep.include({
        attempt: 1,
        worker: { name: `node of ${held.engine}`, version: null },
        outcome: 'COMPLETED',
        error: null,
        usage: { wall_seconds: 1.5, cpu_seconds: null },
        log_tail: 'done\ufffd\r\n\tend',
      });
      const signature = await member.get<{ canonical_job_id: string; confidence_score: number }>(
        `/organizations/alpha/input-signatures/${body.input_signature}`,
      );
      expect(signature.body).to.include({ canonical_job_id: body.job_id, confidence_score: 0.5 });
    });

    it('sent twice answers twice, and writes once', async () => {
      const held = await hold();
      const outputs = { task_results: [{ task_name: 'docking', ...RESULT }], artifacts: [FILE] };
      const replies = [
        ...(await Promise.all([complete(held, outputs), complete(held, outputs)])),
        await complete(held, outputs),
        await fail(held),
      ];
      for (const { status, body } of replies) expect([status, body]).to.deep.equal([200, replies[0]?.body]);
      expect(await outputsOf(held.job)).to.deep.equal([1, 1]);
      expect(await outcomesOf(held.job)).to.deep.equal(['COMPLETED']);
    });

    it('of a job that another has claimed is refused, and changes nothing', async () => {
      const { engine, ...late } = await hold();
      await lapse(late.job);
      const now = await claimOne(engine, 'node-2');
      const before = await show(late.job);
      const outputs = { task_results: [{ task_name: 'docking', ...RESULT }], artifacts: [FILE] };
      for (const reply of [await complete(late, outputs), await fail(late), await release(late)])
        expect(codeOf(reply)).to.deep.equal([409, 'lease_lost']);
      expect(await show(late.job)).to.deep.equal(before);
      expect(await outputsOf(late.job)).to.deep.equal([0, 0]);
      expect((await complete(now, outputs)).body.status).to.equal('COMPLETED');
      expect(codeOf(await complete(late)), 'also afterwards').to.deep.equal([409, 'lease_lost']);
      expect(await outcomesOf(late.job)).to.deep.equal(['LOST', 'COMPLETED']);
    });

    it('under a lease that lapsed and that nobody has claimed is taken', async () => {
      const held = await hold();
      await lapse(held.job);
      expect((await complete(held)).body.status).to.equal('COMPLETED');
    });

    it('with a failure that need not happen again has the job wait, and the last one fails it', async () => {
      const { engine, ...first } = await hold({ max_attempts: 2 });
      await worker.put(`/jobs/${first.job.job_id}/task-results/docking`, RESULT, withLease(first.leaseId));
      const waiting = await fail(first, { code: 'out_of_memory_or_killed', retryable: true });
      expect([waiting.status, waiting.body.status]).to.deep.equal([200, 'PENDING']);
      expect(waiting.body).to.include({ attempt: 1, max_attempts: 2, error: null, error_code: null });
      expect(await outputsOf(first.job), 'of the failed attempt').to.deep.equal([0, 0]);
      expect((await claim(engine)).body.items, 'it waits for a moment').to.be.empty;
      await inResults('update docking_jobs set not_before = now() where job_id = $1', first.job.job_id);
      const second = await claimOne(engine);
      const failed = await fail(second, { code: 'out_of_memory_or_killed', retryable: true });
      expect(failed.body).to.include({
        status: 'FAILED',
        attempt: 2,
        error: 'it broke',
        error_code: 'out_of_memory_or_killed',
      });
      expect(await outcomesOf(first.job)).to.deep.equal(['FAILED', 'FAILED']);
      expect(codeOf(await complete(second)).at(0), 'a repeat').to.equal(200);
    });

    it('with a failure that happens again fails the job at once, and keeps what it made', async () => {
      const held = await hold();
      const { body } = await complete(held, { outcome: 'FAILED', error: FAILURE, artifacts: [FILE] });
      expect(body).to.include({
        status: 'FAILED',
        error: 'it broke',
        error_code: 'engine_error',
        attempt: 1,
      });
      expect(await outputsOf(held.job)).to.deep.equal([0, 1]);
      expect((await attemptsOf(held.job))[0]?.error).to.deep.equal(FAILURE);
    });

    it('needs an error with FAILED, and has none with COMPLETED', async () => {
      const held = await hold();
      for (const body of [{ outcome: 'FAILED' }, { outcome: 'COMPLETED', error: FAILURE }]) {
        const reply = await complete(held, body);
        expect(codeOf(reply)).to.deep.equal([422, 'validation_failed']);
        expect(reply.body.errors?.map(({ path }) => path)).to.deep.equal(['error']);
      }
    });

    it('that is half wrong writes nothing', async () => {
      const held = await hold();
      const reply = await complete(held, {
        task_results: [
          { task_name: 'docking', ...RESULT },
          { task_name: 'no name!', ...RESULT },
        ],
        artifacts: [{ ...FILE, uri: 'javascript:alert(1)' }],
        log_tail: 'ä'.repeat(8193),
      });
      expect(codeOf(reply)).to.deep.equal([422, 'validation_failed']);
      expect(reply.body.errors?.map(({ path }) => path)).to.have.members([
        'task_results.1.task_name',
        'artifacts.0.uri',
        'log_tail',
      ]);
      expect(await outputsOf(held.job)).to.deep.equal([0, 0]);
      expect(await beat(held)).to.deep.equal(['held']);
    });

    it('names each of its tasks once', async () => {
      const held = await hold();
      const [first, second] = ['first', 'second'].map((service_name) => ({ ...RESULT, service_name }));
      const reply = await complete(held, {
        task_results: [
          { task_name: 'docking', ...first },
          { task_name: 'docking', ...second },
        ],
      });
      expect(codeOf(reply)).to.deep.equal([422, 'validation_failed']);
      expect(reply.body.errors?.map(({ path }) => path)).to.deep.equal(['task_results']);
      expect(await outputsOf(held.job)).to.deep.equal([0, 0]);
    });
  });

  describe('a release', () => {
    it('for a shutdown gives the job and its attempt back at once', async () => {
      const { engine, ...held } = await hold();
      await worker.post(`/jobs/${held.job.job_id}/artifacts`, FILE, withLease(held.leaseId));
      expect((await release(held)).status).to.equal(204);
      expect((await release(held)).status, 'sent again').to.equal(204);
      expect(await show(held.job)).to.include({
        status: 'PENDING',
        attempt: 0,
        started_at: null,
        lease: null,
      });
      expect(await outputsOf(held.job)).to.deep.equal([0, 0]);
      const again = await claimOne(engine, 'node-2');
      expect(again.job.attempt).to.equal(1);
      await complete(again);
      const attempts = await attemptsOf(held.job);
      expect(
        attempts.map(({ attempt, outcome, release_reason: reason }) => [attempt, outcome, reason]),
      ).to.deep.equal([
        [1, 'RELEASED', 'shutdown'],
        [1, 'COMPLETED', null],
      ]);
      expect(codeOf(await release(again)), 'of a finished job').to.deep.equal([409, 'job_state_conflict']);
    });

    it('of a job that a worker cannot run has it wait, and fails it after the fifth', async () => {
      const { engine, ...first } = await hold();
      let held: Held = first;
      for (let i = 1; i <= 5; i += 1) {
        expect((await release(held, 'cannot_run', { delay_seconds: 3600 })).status).to.equal(204);
        if (i === 5) break;
        expect((await claim(engine)).body.items).to.be.empty;
        await inResults('update docking_jobs set not_before = now() where job_id = $1', first.job.job_id);
        held = await claimOne(engine);
        expect(held.job.attempt, 'it uses no attempt').to.equal(1);
      }
      expect(await show(first.job)).to.include({
        status: 'FAILED',
        error_code: 'no_capable_worker',
        attempt: 0,
      });
    });
  });

  describe('a job that a worker holds', () => {
    it('takes writes under its lease alone, which extend it', async () => {
      const held = await hold();
      const path = `/jobs/${held.job.job_id}`;
      const writes = (headers: Readonly<Record<string, string>>) => [
        () => worker.put<Problem>(`${path}/task-results/docking`, RESULT, headers),
        () => worker.post<Problem>(`${path}/artifacts`, FILE, headers),
        () => worker.patch<Problem>(path, { status: 'COMPLETED' }, headers),
      ];
      for (const write of writes({})) expect(codeOf(await write())).to.deep.equal([409, 'lease_required']);
      for (const write of writes(withLease(randomUUID())))
        expect(codeOf(await write())).to.deep.equal([409, 'lease_lost']);
      for (const write of writes(withLease('no lease')))
        expect(codeOf(await write())).to.deep.equal([422, 'validation_failed']);
      expect(await show(held.job)).to.deep.equal(held.job);
      expect(await outputsOf(held.job)).to.deep.equal([0, 0]);
      const statuses = [];
      for (const write of writes(withLease(held.leaseId.toUpperCase()))) {
        await lapse(held.job);
        const { status } = await write();
        statuses.push(status);
        const [row] = await inResults<{ live: boolean }>(
          'select expires_at > now() as live from job_attempts where lease_id = $1',
          held.leaseId,
        );
        expect(row?.live, 'the lease is extended').to.equal(true);
      }
      expect(statuses).to.deep.equal([201, 201, 200]);
      expect(await outcomesOf(held.job)).to.deep.equal(['COMPLETED']);
    });

    it('is canceled by its owner and moved by an administrator without the lease', async () => {
      const [own, failed] = [await hold(), await hold()];
      expect((await member.patch(`/jobs/${own.job.job_id}`, { status: 'CANCELED' })).status).to.equal(200);
      const { body } = await administrator.patch<Job>(`/jobs/${failed.job.job_id}`, {
        status: 'FAILED',
        error: 'enough',
      });
      expect(body).to.include({ status: 'FAILED', error: 'enough', lease: null });
      expect(await outcomesOf(failed.job)).to.deep.equal(['FAILED']);
      expect(await beat(own, failed)).to.deep.equal(['canceled', 'lost']);
    });

    it('is refused to a lease of before, and to a lease of another job', async () => {
      const { engine, ...late } = await hold();
      const other = await hold();
      await lapse(late.job);
      await claimOne(engine, 'node-2');
      for (const leaseId of [late.leaseId, other.leaseId]) {
        const put = await worker.put<Problem>(
          `/jobs/${late.job.job_id}/task-results/docking`,
          RESULT,
          withLease(leaseId),
        );
        expect(codeOf(put)).to.deep.equal([409, 'lease_lost']);
      }
    });

    it('that was moved by its status alone goes on without a lease', async () => {
      const engine = newEngine();
      const job = await submit(engine);
      const path = `/jobs/${job.job_id}`;
      expect((await worker.patch<Job>(path, { status: 'RUNNING' })).body).to.include({
        status: 'RUNNING',
        lease: null,
        attempt: 0,
      });
      expect((await claim(engine)).body.items).to.be.empty;
      expect((await worker.put(`${path}/task-results/docking`, RESULT)).status).to.equal(201);
      const lost = await worker.post<Problem>(`${path}/artifacts`, FILE, withLease(randomUUID()));
      expect(codeOf(lost)).to.deep.equal([409, 'lease_lost']);
      expect((await worker.patch<Job>(path, { status: 'COMPLETED' })).body.status).to.equal('COMPLETED');
      expect(await attemptsOf(job)).to.be.empty;
    });

    it('goes back to PENDING by a release alone', async () => {
      const held = await hold();
      for (const by of [worker, administrator]) {
        const headers = by === worker ? withLease(held.leaseId) : {};
        const reply = await by.patch<Problem>(`/jobs/${held.job.job_id}`, { status: 'PENDING' }, headers);
        expect(codeOf(reply)).to.deep.equal([409, 'job_state_conflict']);
      }
    });
  });

  describe('a bulk cancellation', () => {
    it("takes a member's own jobs, an administrator's everybody's, and passes over all others", async () => {
      const engine = newEngine();
      const other = service.as(deployment.token('alpha', ['member'], { sub: 'user-2' }));
      const [own, foreign] = [await submit(engine), await submit(engine, {}, other)];
      const ids = [own.job_id, foreign.job_id, randomUUID()];
      await inResults('delete from audit_outbox');
      expect((await member.post('/jobs/cancel', { job_ids: ids, status: 'RUNNING' })).body).to.deep.equal({
        canceled: 0,
      });
      expect((await member.post('/jobs/cancel', { job_ids: ids })).body).to.deep.equal({ canceled: 1 });
      expect((await administrator.post('/jobs/cancel', { job_ids: ids })).body).to.deep.equal({
        canceled: 1,
      });
      const entries = await inResults<{ entity_type: string; details: object }>(
        `select entity_type, details from audit_outbox where action = 'job.canceled' order by position`,
      );
      expect(entries).to.deep.equal([
        { entity_type: 'job_cancellation', details: { status: 'CANCELED', job_ids: [own.job_id], jobs: 1 } },
        {
          entity_type: 'job_cancellation',
          details: { status: 'CANCELED', job_ids: [foreign.job_id], jobs: 1 },
        },
      ]);
    });

    it('needs to be told which jobs', async () => {
      const reply = await member.post<Problem>('/jobs/cancel', { status: 'PENDING' });
      expect(codeOf(reply)).to.deep.equal([422, 'validation_failed']);
      expect(reply.body.errors?.map(({ path }) => path)).to.deep.equal(['job_ids']);
    });
  });

  describe('a retry', () => {
    it('submits a failed job anew, once under one key, and leaves the old one as it is', async () => {
      const held = await hold({ priority: 7, params: { seed: 1 }, max_attempts: 5, max_runtime_seconds: 60 });
      const failed = (await fail(held)).body;
      const path = `/jobs/${held.job.job_id}/retry`;
      const { status, headers, body } = await member.post<Job>(path, undefined, { 'Idempotency-Key': 'r' });
      expect(status).to.equal(201);
      expect(headers['location']).to.equal(`/jobs/${body.job_id}`);
      expect(body).to.deep.include({
        status: 'PENDING',
        retry_of: held.job.job_id,
        priority: 7,
        params: { seed: 1 },
        inputs: held.job.inputs,
        input_signature: held.job.input_signature,
        max_attempts: 5,
        max_runtime_seconds: 60,
        attempt: 0,
        error_code: null,
      });
      const again = await member.post<Job>(path, undefined, { 'Idempotency-Key': 'r' });
      expect([again.status, again.body]).to.deep.equal([200, body]);
      expect(await show(held.job)).to.deep.equal(failed);
    });

    it("is refused for others' jobs, and for one that is not over or went well", async () => {
      const held = await hold();
      const path = `/jobs/${held.job.job_id}/retry`;
      expect(codeOf(await member.post(path))).to.deep.equal([409, 'job_state_conflict']);
      await complete(held);
      expect(codeOf(await member.post(path))).to.deep.equal([409, 'job_state_conflict']);
      const other = service.as(deployment.token('alpha', ['member'], { sub: 'user-2' }));
      expect(codeOf(await other.post(path))).to.deep.equal([403, 'role_required']);
    });
  });

  it("another organization's jobs and leases are as unknown ones", async () => {
    const held = await hold();
    const stranger = service.as(deployment.token('beta', ['worker', 'member', 'org_admin']));
    const path = `/jobs/${held.job.job_id}`;
    const lease = { lease_id: held.leaseId };
    for (const reply of [
      await stranger.post<Problem>(`${path}/complete`, { ...lease, outcome: 'COMPLETED' }),
      await stranger.post<Problem>(`${path}/release`, { ...lease, reason: 'shutdown' }),
      await stranger.post<Problem>(`${path}/retry`),
      await stranger.get<Problem>(`${path}/attempts`),
      await stranger.patch<Problem>(path, { status: 'FAILED' }, withLease(held.leaseId)),
      await stranger.put<Problem>(`${path}/task-results/docking`, RESULT, withLease(held.leaseId)),
    ])
      expect(codeOf(reply)).to.deep.equal([404, 'job_not_found']);
    const { body } = await stranger.post<Items<{ state: string }>>('/jobs/heartbeat', {
      leases: [{ job_id: held.job.job_id, ...lease }],
    });
    expect(body.items.map(({ state }) => state)).to.deep.equal(['lost']);
    const canceled = await stranger.post('/jobs/cancel', { job_ids: [held.job.job_id] });
    expect(canceled.body).to.deep.equal({ canceled: 0 });
    expect(await show(held.job)).to.deep.equal(held.job);
  });

  it('a job says how often and how long it may be tried', async () => {
    const job = await submit(newEngine(), { max_attempts: 10, max_runtime_seconds: 5 });
    expect(job).to.include({ max_attempts: 10, max_runtime_seconds: 5 });
    expect(await submit(newEngine())).to.include({ max_attempts: 3, max_runtime_seconds: null });
    for (const [field, value] of [
      ['max_attempts', 0],
      ['max_attempts', 11],
      ['max_runtime_seconds', 0],
    ] as const) {
      const reply = await member.post<Problem>('/jobs', {
        engine: 'vina',
        inputs: { a: 1 },
        [field]: value,
      });
      expect(reply.body.errors?.map(({ path }) => path)).to.deep.equal([field]);
    }
  });
});
