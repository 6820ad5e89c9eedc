import { randomUUID } from 'node:crypto';
import type { Job } from './http-contract.ts';
import type { Random } from './random.ts';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface WorkersDeps {
  /** Rejects when the service went away before it answered: what was asked may have happened or not. */
  readonly call: (method: 'POST' | 'PUT', path: string, body: object, leaseId?: string) => Promise<Answer>;
  /** Runs SQL in the results database. May reject while the server is away. */
  readonly execute: (sql: string, values?: readonly unknown[]) => Promise<readonly unknown[]>;
  /** Resolves when another call makes sense. Called after one that rejected. */
  readonly recover: () => Promise<void>;
  readonly random: Random;
  readonly engine: string;
}

interface Held {
  readonly jobId: string;
  readonly leaseId: string;
}

/** Who holds a job, as far as anybody was told. */
interface Holder {
  readonly leaseId: string;
  /** Its lease was made to lapse, or its worker asked to end it: another may have the job. */
  mayBeOver: boolean;
}

const PLENTY = 1_000_000;

/**
 * Workers that claim, work, die, fall asleep and give back at random, and a model in memory of what they were told. The model
 * writes down every answer that cannot be true beside an earlier one.
 */
export class LeaseWorkers {
  readonly #deps: WorkersDeps;
  readonly #holders = new Map<string, Holder>();
  /** The lease under which each job's completion was acknowledged. */
  readonly completed = new Map<string, string>();
  /** What was answered and cannot be true. */
  readonly problems: string[] = [];
  /** How often each thing happened. */
  readonly counts = { claimed: 0, refused: 0, lapsed: 0, released: 0, failed: 0, unanswered: 0 };

  constructor(deps: WorkersDeps) {
    this.#deps = deps;
  }

  /** One worker, until `isOver` says so. */
  async work(isOver: () => boolean): Promise<void> {
    const { random } = this.#deps;
    const held: Held[] = [];
    let name = randomUUID();
    while (!isOver()) {
      try {
        if (held.length === 0 || random.chance(0.3)) {
          const isBenched = await this.#claim(name, held);
          if (isBenched) name = randomUUID();
        } else {
          const [one] = held.splice(random.below(held.length), 1);
          if (one !== undefined && (await this.#workOn(one))) held.push(one);
        }
      } catch {
        this.counts.unanswered += 1;
        await this.#deps.recover();
      }
    }
  }

  /** Has every lease lapse and completes what is left. */
  async drain(): Promise<void> {
    for (let left = PLENTY; left > 0;) {
      for (const holder of this.#holders.values()) holder.mayBeOver = true;
      await this.#deps.execute(
        `with due as (update docking_jobs set not_before = now() where not_before is not null)
         update job_attempts set expires_at = now() - interval '1 second' where ended_at is null`,
      );
      const held: Held[] = [];
      await this.#claim(randomUUID(), held, 50);
      for (const each of held) await this.#complete(each);
      const rows = await this.#deps.execute(
        `select from docking_jobs where status in ('PENDING', 'RUNNING')`,
      );
      left = rows.length;
    }
  }

  /** What the database says that no acknowledged answer allows. */
  async contradictions(): Promise<readonly unknown[]> {
    const { execute } = this.#deps;
    const found = await execute(
      `select 'two completions' as what, job_id from job_attempts where outcome = 'COMPLETED' group by job_id having count(*) > 1
       union all select 'a live attempt of a job that does not run', job_id from docking_jobs join job_attempts using (job_id)
         where ended_at is null and status <> 'RUNNING'
       union all select 'a running job without a lease', job_id from docking_jobs where status = 'RUNNING'
         and not exists (select from job_attempts where job_attempts.job_id = docking_jobs.job_id and ended_at is null)
       union all select 'a completed job without a completed attempt', job_id from docking_jobs where status = 'COMPLETED'
         and not exists (select from job_attempts
           where job_attempts.job_id = docking_jobs.job_id and outcome = 'COMPLETED')
       union all select 'a wrong number of attempts', job_id from docking_jobs where attempt <>
         (select count(*) from job_attempts where job_attempts.job_id = docking_jobs.job_id and outcome <> 'RELEASED')
       union all select 'a result of another attempt', task_results.job_id from task_results join job_attempts using (lease_id)
         where outcome <> 'COMPLETED'
       union all select 'a result that its lease did not write', job_id from task_results
         where result_data ->> 'lease' <> lease_id::text`,
    );
    const acknowledged = [...this.completed].map(([job, lease]) => ({ job, lease }));
    const lost = await execute(
      `select 'an acknowledged completion is lost' as what, job from jsonb_to_recordset($1::jsonb) as told (job uuid, lease uuid)
       where not exists (select from docking_jobs join job_attempts using (job_id) join task_results using (job_id, lease_id)
         where job_id = told.job and lease_id = told.lease and status = 'COMPLETED' and outcome = 'COMPLETED')`,
      [JSON.stringify(acknowledged)],
    );
    return [...found, ...lost];
  }

  /** @returns whether the worker is benched */
  async #claim(name: string, held: Held[], limit = 1 + this.#deps.random.below(3)): Promise<boolean> {
    const { call, engine } = this.#deps;
    const body = { worker: { name }, engines: [engine], limit };
    const answer = await call('POST', '/jobs/claim', body);
    if (answer.status !== 200) return answer.status === 429;
    // The reply's schema was checked by the caller.
    const { items } = answer.body as {
      readonly items: readonly { readonly job: Job; readonly lease: { readonly lease_id: string } }[];
    };
    for (const { job, lease } of items) {
      const { job_id: jobId } = job;
      const holder = this.#holders.get(jobId);
      if (this.completed.has(jobId)) this.problems.push(`${jobId} is claimed after its completion`);
      if (holder?.mayBeOver === false) this.problems.push(`${jobId} is claimed under two leases`);
      this.#holders.set(jobId, { leaseId: lease.lease_id, mayBeOver: false });
      held.push({ jobId, leaseId: lease.lease_id });
      this.counts.claimed += 1;
    }
    return false;
  }

  /** @returns whether the worker still holds it, as far as it knows */
  async #workOn(held: Held): Promise<boolean> {
    const { random } = this.#deps;
    const draw = random.next();
    if (draw < 0.35) return this.#complete(held);
    if (draw < 0.45) return this.#fail(held);
    if (draw < 0.55) return this.#release(held);
    if (draw < 0.65) return this.#beat(held);
    if (draw < 0.75) return this.#put(held);
    await this.#lapse(held);
    // It died; or it only fell asleep, and knows nothing.
    return random.chance(0.5);
  }

  async #lapse({ jobId, leaseId }: Held): Promise<void> {
    this.#mayBeOver(jobId, leaseId);
    this.counts.lapsed += 1;
    await this.#deps.execute(
      `update job_attempts set expires_at = now() - interval '1 second' where lease_id = $1 and ended_at is null`,
      [leaseId],
    );
  }

  async #complete({ jobId, leaseId }: Held): Promise<boolean> {
    const holder = this.#holders.get(jobId);
    const held = holder?.leaseId === leaseId && !holder.mayBeOver;
    this.#mayBeOver(jobId, leaseId);
    const { status } = await this.#deps.call('POST', `/jobs/${jobId}/complete`, {
      lease_id: leaseId,
      outcome: 'COMPLETED',
      task_results: [resultOf(leaseId, 'docking')],
    });
    if (status === 200) {
      const before = this.completed.get(jobId);
      if (before !== undefined && before !== leaseId)
        this.problems.push(`${jobId} completed under two leases`);
      this.completed.set(jobId, leaseId);
    } else if (status === 409) {
      this.counts.refused += 1;
      if (held) this.problems.push(`${jobId}: the lease that holds it is refused`);
    }
    return false;
  }

  async #fail({ jobId, leaseId }: Held): Promise<boolean> {
    this.#mayBeOver(jobId, leaseId);
    this.counts.failed += 1;
    await this.#deps.call('POST', `/jobs/${jobId}/complete`, {
      lease_id: leaseId,
      outcome: 'FAILED',
      error: { code: 'out_of_memory_or_killed', message: 'again', retryable: true },
    });
    await this.#deps.execute(
      'update docking_jobs set not_before = now() where job_id = $1 and not_before is not null',
      [jobId],
    );
    return false;
  }

  async #release({ jobId, leaseId }: Held): Promise<boolean> {
    this.#mayBeOver(jobId, leaseId);
    this.counts.released += 1;
    await this.#deps.call('POST', `/jobs/${jobId}/release`, { lease_id: leaseId, reason: 'shutdown' });
    return false;
  }

  async #beat({ jobId, leaseId }: Held): Promise<boolean> {
    const leases = [{ job_id: jobId, lease_id: leaseId, progress: { fraction: 0.5 } }];
    const { status, body } = await this.#deps.call('POST', '/jobs/heartbeat', { leases });
    if (status !== 200) return true;
    const { items } = body as { readonly items: readonly { readonly state: string }[] };
    const state = items[0]?.state;
    const holder = this.#holders.get(jobId);
    if (state === 'lost' && holder?.leaseId === leaseId && !holder.mayBeOver)
      this.problems.push(`${jobId}: the lease that holds it is called lost`);
    return state === 'held';
  }

  async #put({ jobId, leaseId }: Held): Promise<boolean> {
    const { task_name: name, ...result } = resultOf(leaseId, 'analysis');
    const { status } = await this.#deps.call('PUT', `/jobs/${jobId}/task-results/${name}`, result, leaseId);
    return status < 300;
  }

  #mayBeOver(jobId: string, leaseId: string): void {
    const holder = this.#holders.get(jobId);
    if (holder?.leaseId === leaseId) holder.mayBeOver = true;
  }
}

const resultOf = (leaseId: string, taskName: string) => ({
  task_name: taskName,
  service_name: 'vina',
  result_data: { lease: leaseId },
});
