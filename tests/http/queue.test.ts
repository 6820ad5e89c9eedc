import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Job } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';

interface Queue {
  readonly by_engine: readonly {
    readonly engine: string;
    readonly waiting: number;
    readonly delayed: number;
    readonly oldest_at: string | null;
    readonly next_due_at: string | null;
    readonly running: number;
    readonly lapsed: number;
    readonly workers_seen: readonly { readonly name: string; readonly last_seen_at: string }[];
    readonly waits_for: string | null;
    readonly reason: string | null;
  }[];
  readonly is_complete: boolean;
  readonly counted_up_to: number;
}

describe('The queue over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
  });
  beforeEach(() => inAlpha('truncate docking_jobs cascade').catch(() => undefined));
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const inAlpha = (sql: string, ...values: readonly unknown[]) =>
    deployment.administer(sql, values, deployment.databaseName('alpha'));
  const submit = async (engine = 'vina'): Promise<Job> => {
    const member = service.as(deployment.token('alpha', ['member']));
    return (await member.post<Job>('/jobs', { engine, inputs: { ligand: 'CCO' } })).body;
  };
  const queue = async (): Promise<Queue> =>
    (await service.as(deployment.token('alpha', ['worker'])).get<Queue>('/queue')).body;
  const only = async (): Promise<Queue['by_engine'][number]> => {
    const { by_engine: engines } = await queue();
    const [engine] = engines;
    if (engine === undefined || engines.length > 1)
      throw new Error(`the queue has ${engines.length} engines`);
    return engine;
  };
  /** A lease as a claim leaves it, of 120 s. */
  const lease = async (job: Job, worker: string, { began, expires }: { began: string; expires: string }) => {
    await inAlpha(`update docking_jobs set status = 'RUNNING', attempt = 1 where job_id = $1`, job.job_id);
    await inAlpha(
      `insert into job_attempts (lease_id, job_id, attempt, engine, worker_name, lease_seconds, started_at, expires_at, deadline_at)
       values ($1, $2, 1, $3, $4, 120, now() + $5::interval, now() + $6::interval, now() + interval '1 day')`,
      randomUUID(),
      job.job_id,
      job.engine,
      worker,
      began,
      expires,
    );
  };
  const secondsAgo = (time: string | undefined): number => (Date.now() - Date.parse(time ?? '')) / 1000;

  it('says that nobody works for an engine, and since when the oldest of its jobs waits', async () => {
    const job = await submit();
    await submit();
    expect(await queue()).to.deep.equal({
      by_engine: [
        {
          engine: 'vina',
          waiting: 2,
          delayed: 0,
          oldest_at: job.created_at,
          next_due_at: null,
          running: 0,
          lapsed: 0,
          workers_seen: [],
          waits_for: 'worker',
          reason: 'No worker of this engine has been seen.',
        },
      ],
      is_complete: true,
      counted_up_to: 10_000,
    });
    const { status } = await service
      .as(deployment.token('beta', ['member']))
      .get('/organizations/alpha/queue');
    expect(status).to.equal(403);
    const empty = await service
      .as(deployment.token('beta', ['member']))
      .get<Queue>('/organizations/beta/queue');
    expect(empty.body.by_engine).to.deep.equal([]);
  });

  it('says that the workers are busy, and who they are', async () => {
    const first = await submit();
    const second = await submit();
    await submit();
    await lease(first, 'node-1', { began: '-1 hour', expires: '60 seconds' });
    await lease(second, 'node-2', { began: '-10 seconds', expires: '110 seconds' });
    const engine = await only();
    expect(engine).to.include({ waiting: 1, running: 2, lapsed: 0, waits_for: 'busy_workers' });
    expect(engine.workers_seen.map(({ name }) => name)).to.deep.equal(['node-2', 'node-1']);
    const [latest, earlier] = engine.workers_seen.map(({ last_seen_at: at }) => secondsAgo(at));
    // A lease of 120 s that ends in 60 s was prolonged 60 s ago.
    expect(latest).to.be.within(9, 30);
    expect(earlier).to.be.within(59, 80);
  });

  it('says since when no worker of the engine was seen, and counts what was left behind', async () => {
    const job = await submit();
    await submit();
    await lease(job, 'node-1', { began: '-2 hours', expires: '-1 hour' });
    const engine = await only();
    expect(engine).to.include({ waiting: 1, running: 0, lapsed: 1, waits_for: 'worker' });
    const seen = engine.workers_seen[0]?.last_seen_at ?? '';
    expect(secondsAgo(seen)).to.be.within(3720, 3780);
    expect(engine.reason).to.equal(`No worker of this engine was seen since ${seen}.`);
    await submit('gnina');
    const other = (await queue()).by_engine.find(({ engine: name }) => name === 'gnina');
    expect(other, 'a worker of one engine is none of another').to.deep.include({ workers_seen: [] });
  });

  it('takes a worker that has finished for seen when it did', async () => {
    const job = await submit();
    await submit();
    await lease(job, 'node-1', { began: '-2 hours', expires: '-1 hour' });
    await inAlpha(`update job_attempts set ended_at = now() - interval '5 minutes', outcome = 'COMPLETED'`);
    await inAlpha(`update docking_jobs set status = 'COMPLETED' where job_id = $1`, job.job_id);
    const engine = await only();
    expect(secondsAgo(engine.workers_seen[0]?.last_seen_at)).to.be.within(299, 330);
    expect(engine).to.include({ running: 0, lapsed: 0 });
  });

  it('says until when jobs wait that may not be claimed yet', async () => {
    const job = await submit();
    const [row] = await deployment.administer<{ at: Date }>(
      `update docking_jobs set not_before = now() + interval '1 hour' where job_id = $1 returning not_before as at`,
      [job.job_id],
      deployment.databaseName('alpha'),
    );
    const at = row?.at.toISOString() ?? '';
    const engine = await only();
    expect(engine).to.include({ waiting: 1, delayed: 1, next_due_at: at, waits_for: 'time' });
    expect(engine.reason).to.equal(`None of the jobs may be claimed before ${at}.`);
    expect(engine.oldest_at).to.equal(job.created_at);
    await inAlpha(`update docking_jobs set not_before = now() - interval '1 second'`);
    expect(await only()).to.include({ waiting: 1, delayed: 0, next_due_at: null, waits_for: 'worker' });
  });

  it('says that the organization allows no more leases', async () => {
    const administrator = service.as(deployment.token('alpha', ['org_admin']));
    const settings = await administrator.put('/organizations/alpha/settings', {
      settings: { max_running_jobs: 1 },
    });
    expect(settings.status).to.equal(200);
    const job = await submit();
    await submit('gnina');
    await lease(job, 'node-1', { began: '-1 minute', expires: '1 minute' });
    await until('the process knows the setting', async () => {
      const { by_engine: engines } = await queue();
      return engines.some(({ engine, waits_for: cause }) => engine === 'gnina' && cause === 'running_limit');
    });
    const { by_engine: engines } = await queue();
    expect(engines.map(({ engine, reason }) => [engine, reason])).to.deep.equal([
      ['gnina', `The organization's workers hold as many leases as it allows: max_running_jobs is 1.`],
      ['vina', null],
    ]);
  });

  it('counts up to a limit, and tells it', async () => {
    await submit();
    await inAlpha(
      `insert into docking_jobs (job_id, status, engine, pipeline_version, inputs, params, priority, input_signature, submitted_by)
       select gen_random_uuid(), 'PENDING', engine, pipeline_version, inputs, params, 7, input_signature, submitted_by
       from docking_jobs cross join generate_series(1, 10500)`,
    );
    const { by_engine: engines, counted_up_to: most } = await queue();
    expect(engines.map(({ waiting }) => waiting)).to.deep.equal([most]);
    expect(most).to.equal(10_000);
  });
});
