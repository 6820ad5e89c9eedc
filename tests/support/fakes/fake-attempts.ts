import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import { isFinished, type DockingJob, type LockedJob } from '../../../domain/jobs/docking-job.ts';
import {
  ATTEMPTS_EXHAUSTED,
  BENCHING,
  BLAMELESS_FAILURES,
  type JobAttempt,
  type JobProgress,
} from '../../../domain/jobs/job-attempt.ts';
import type {
  AttemptKey,
  Cancellation,
  ClaimedJob,
  ClaimResult,
  Heartbeat,
  JobAttemptRepository,
  JobClaim,
  LeaseKey,
  LeaseState,
  LockedAttempt,
  Outlook,
  Settlement,
} from '../../../domain/jobs/job-attempt-repository.ts';
import { MAX_PAGE_BYTES, type PagePart, type PartRequest } from '../../../domain/page.ts';
import { fakePart } from './fake-part.ts';

export interface StoredAttempt extends JobAttempt {
  readonly jobId: string;
  readonly engine: string;
  readonly leaseSeconds: number;
  readonly deadlineAt: Date;
  readonly progress: JobProgress | null;
}

/** What the attempts share with the other tables. */
export interface FakeTables {
  readonly storedJobs: Map<string, DockingJob>;
  readonly storedAttempts: Map<string, StoredAttempt>;
  /** When jobs that wait for a moment are due. */
  readonly notBefore: Map<string, Date>;
  readonly notes: WriteNote[];
  now(): Date;
  newLeaseId(): string;
  dropOutputOf(leaseId: string): void;
}

const after = (at: Date, seconds: number): Date => new Date(at.getTime() + seconds * 1000);
const earliest = (one: Date, other: Date): Date => (one < other ? one : other);

/** The attempts of jobs in memory: a claim takes what the one statement takes in PostgreSQL. */
export class FakeAttempts implements JobAttemptRepository {
  readonly #tables: FakeTables;

  constructor(tables: FakeTables) {
    this.#tables = tables;
  }

  async claim(claim: JobClaim, note: Omit<WriteNote, 'action' | 'details'>): Promise<ClaimResult> {
    const benchedSeconds = this.#benchedSeconds(claim.worker.name);
    const room = benchedSeconds === null ? this.#roomFor(claim) : 0;
    const lapsed = this.#live()
      .filter(({ expiresAt, engine }) => expiresAt < this.#tables.now() && claim.engines.includes(engine))
      .toSorted((a, b) => a.expiresAt.getTime() - b.expiresAt.getTime())
      .slice(0, room);
    const running = lapsed.filter(({ jobId }) => this.#job(jobId).status === 'RUNNING');
    const exhausted = running.filter(({ jobId }) => this.#job(jobId).attempt >= this.#job(jobId).maxAttempts);
    const again = running.filter((held) => !exhausted.includes(held));
    const waiting = this.#waiting(claim.engines);
    const wanted = [...again, ...waiting].slice(0, room);
    const taken = wanted.slice(0, this.#fitting(wanted.map(({ jobId }) => jobId)));
    for (const held of lapsed) if (!again.includes(held) || taken.includes(held)) this.#lose(held);
    for (const { jobId } of exhausted) this.#exhaust(jobId, note);
    const claimed = taken.map(({ jobId }) => this.#open(jobId, claim));
    if (claimed.length > 0) this.#tables.notes.push({ ...note, ...claimNote(claim, claimed) });
    return { claimed, benchedSeconds, room };
  }

  async lockClaims(): Promise<void> {
    // Transactions follow one another.
  }

  async outlook(engines: readonly string[]): Promise<Outlook> {
    const now = this.#tables.now().getTime();
    const dues = [
      ...this.#live()
        .filter(({ engine }) => engines.includes(engine))
        .map(({ expiresAt }) => expiresAt),
      ...this.#pending(engines).flatMap(({ jobId }) => this.#tables.notBefore.get(jobId) ?? []),
    ].map((at) => (at.getTime() - now) / 1000);
    return {
      isWaiting: this.#pending(engines).some(({ jobId }) => !this.#tables.notBefore.has(jobId)),
      dueInSeconds: dues.length === 0 ? null : Math.min(...dues),
    };
  }

  async heartbeat(
    beats: readonly Heartbeat[],
  ): Promise<readonly { readonly state: LeaseState; readonly expiresAt: Date | null }[]> {
    return beats.map(({ jobId, leaseId, progress }) => {
      const held = this.#tables.storedAttempts.get(leaseId);
      if (held?.jobId !== jobId) return { state: 'lost', expiresAt: null };
      if (held.outcome === 'CANCELED') return { state: 'canceled', expiresAt: null };
      if (held.outcome !== null || held.deadlineAt <= this.#tables.now())
        return { state: 'lost', expiresAt: null };
      return { state: 'held', expiresAt: this.#extend(held, progress) };
    });
  }

  async lock(leases: readonly LeaseKey[]): Promise<readonly (LockedAttempt | null)[]> {
    return leases.map(({ jobId, leaseId }) => {
      const held = this.#tables.storedAttempts.get(leaseId);
      if (held?.jobId !== jobId) return null;
      return { job: lockedOf(this.#job(jobId)), outcome: held.outcome };
    });
  }

  async hasLive(jobId: string): Promise<boolean> {
    return this.liveOf(jobId) !== undefined;
  }

  async extend(leaseId: string): Promise<void> {
    const held = this.#tables.storedAttempts.get(leaseId);
    if (held?.outcome === null) this.#extend(held, null);
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    for (const settlement of settlements) this.#settle(settlement);
  }

  async countCannotRun(jobId: string): Promise<number> {
    return this.#all().filter((each) => each.jobId === jobId && each.releaseReason === 'cannot_run').length;
  }

  async cancel(
    { campaignId, jobIds, status, submittedBy }: Cancellation,
    limit: number,
    note: WriteNote,
  ): Promise<number> {
    const wanted = [...this.#tables.storedJobs.values()]
      .filter((job) => !isFinished(job.status) && (status === null || job.status === status))
      .filter((job) => campaignId === null || job.campaignId === campaignId)
      .filter((job) => jobIds === null || jobIds.includes(job.jobId))
      .filter((job) => submittedBy === null || job.submittedBy === submittedBy)
      .slice(0, limit);
    const at = this.#tables.now();
    for (const job of wanted) {
      const held = this.liveOf(job.jobId);
      if (held !== undefined) this.#change(held, { outcome: 'CANCELED', endedAt: at });
      this.#tables.storedJobs.set(job.jobId, { ...job, status: 'CANCELED', updatedAt: at, completedAt: at });
    }
    const ids = wanted.map(({ jobId }) => jobId);
    if (ids.length > 0)
      this.#tables.notes.push({ ...note, details: { ...note.details, job_ids: ids, jobs: ids.length } });
    return ids.length;
  }

  async listByJob(jobId: string, part: PartRequest<AttemptKey>): Promise<PagePart<JobAttempt, AttemptKey>> {
    const following = this.#all()
      .filter((each) => each.jobId === jobId)
      .filter((each) => part.after === null || each.leaseId > part.after.leaseId)
      .map(attemptOf);
    return fakePart(following, part, ({ startedAt, leaseId }) => ({ startedAt, leaseId }));
  }

  liveOf(jobId: string): StoredAttempt | undefined {
    return this.#live().find((each) => each.jobId === jobId);
  }

  #settle({ note, jobId, status, error, errorCode, attempt, ...settlement }: Settlement): void {
    const { delaySeconds, end, dropsOutput } = settlement;
    const { notBefore, storedJobs, notes } = this.#tables;
    const at = this.#tables.now();
    const held = this.liveOf(jobId);
    if (held !== undefined) {
      this.#change(held, { ...end, endedAt: at });
      if (dropsOutput) this.#tables.dropOutputOf(held.leaseId);
    }
    const waits = status === 'PENDING';
    if (waits && delaySeconds > 0) notBefore.set(jobId, after(at, delaySeconds));
    const job = this.#job(jobId);
    const times = { startedAt: waits ? null : job.startedAt, completedAt: waits ? null : at, updatedAt: at };
    storedJobs.set(jobId, { ...job, status, error, errorCode, attempt, ...times });
    const due = notBefore.get(jobId);
    notes.push(
      due === undefined ? note : { ...note, details: { ...note.details, not_before: due.toISOString() } },
    );
  }

  #all(): readonly StoredAttempt[] {
    return [...this.#tables.storedAttempts.values()];
  }

  #live(): readonly StoredAttempt[] {
    return this.#all().filter(({ outcome }) => outcome === null);
  }

  #job(jobId: string): DockingJob {
    const job = this.#tables.storedJobs.get(jobId);
    if (job === undefined) throw new Error('no such job');
    return job;
  }

  #pending(engines: readonly string[]): readonly DockingJob[] {
    return [...this.#tables.storedJobs.values()].filter(
      ({ status, engine }) => status === 'PENDING' && engines.includes(engine),
    );
  }

  #waiting(engines: readonly string[]): readonly DockingJob[] {
    const { notBefore } = this.#tables;
    return this.#pending(engines)
      .filter(({ jobId }) => (notBefore.get(jobId) ?? this.#tables.now()) <= this.#tables.now())
      .toSorted(
        (a, b) =>
          b.priority - a.priority ||
          a.createdAt.getTime() - b.createdAt.getTime() ||
          (a.jobId < b.jobId ? -1 : 1),
      );
  }

  #benchedSeconds(worker: string): number | null {
    const since = after(this.#tables.now(), -BENCHING.windowSeconds);
    const recent = this.#all()
      .filter(({ outcome }) => outcome === 'COMPLETED' || outcome === 'FAILED')
      .filter((each) => each.worker.name === worker && (each.endedAt ?? since) > since)
      .filter(({ error }) => !BLAMELESS_FAILURES.some((code) => code === error?.code))
      .slice(-BENCHING.failures);
    const failed = recent.filter(({ outcome }) => outcome === 'FAILED');
    const [first] = failed;
    if (failed.length < BENCHING.failures || first?.endedAt === null || first === undefined) return null;
    return Math.ceil((first.endedAt.getTime() - since.getTime()) / 1000);
  }

  #roomFor({ limit, maxRunningJobs }: JobClaim): number {
    if (maxRunningJobs === null) return limit;
    const running = this.#live().filter(({ expiresAt }) => expiresAt >= this.#tables.now()).length;
    return Math.max(0, Math.min(limit, maxRunningJobs - running));
  }

  /** How many of these jobs one answer holds. */
  #fitting(jobIds: readonly string[]): number {
    let bytes = 0;
    const tooMany = jobIds.findIndex((jobId, index) => {
      const { inputs, params } = this.#job(jobId);
      bytes += Buffer.byteLength(inputs.text) + Buffer.byteLength(params.text);
      return index > 0 && bytes > MAX_PAGE_BYTES;
    });
    return tooMany === -1 ? jobIds.length : tooMany;
  }

  #lose(held: StoredAttempt): void {
    this.#change(held, { outcome: 'LOST', endedAt: this.#tables.now() });
    this.#tables.dropOutputOf(held.leaseId);
  }

  #exhaust(jobId: string, note: Omit<WriteNote, 'action' | 'details'>): void {
    const at = this.#tables.now();
    const { code, message } = ATTEMPTS_EXHAUSTED;
    const job = this.#job(jobId);
    const failed = { status: 'FAILED', error: message, errorCode: code } as const;
    this.#tables.storedJobs.set(jobId, { ...job, ...failed, updatedAt: at, completedAt: at });
    const details = { status: 'FAILED', engine: job.engine, attempt: job.attempt, error_code: code };
    this.#tables.notes.push({ ...note, action: 'job.failed', details });
  }

  #open(jobId: string, claim: JobClaim): ClaimedJob {
    const { storedJobs, storedAttempts, notBefore } = this.#tables;
    const { worker, leaseSeconds } = claim;
    const at = this.#tables.now();
    const job = this.#job(jobId);
    const attempt = job.attempt + 1;
    const maxRuntimeSeconds = job.maxRuntimeSeconds ?? claim.maxRuntimeSeconds;
    const deadlineAt = after(at, maxRuntimeSeconds);
    const expiresAt = earliest(after(at, leaseSeconds), deadlineAt);
    const leaseId = this.#tables.newLeaseId();
    const running = { ...job, status: 'RUNNING', attempt, startedAt: at, updatedAt: at } as const;
    storedJobs.set(jobId, running);
    notBefore.delete(jobId);
    storedAttempts.set(leaseId, {
      leaseId,
      jobId,
      attempt,
      engine: job.engine,
      worker,
      leaseSeconds,
      startedAt: at,
      expiresAt,
      deadlineAt,
      progress: null,
      endedAt: null,
      outcome: null,
      releaseReason: null,
      error: null,
      usage: null,
      logTail: null,
    });
    const lease = { leaseId, attempt, expiresAt, maxRuntimeSeconds };
    return { job: { ...running, lease: { worker: worker.name, expiresAt } }, lease };
  }

  #extend(held: StoredAttempt, progress: JobProgress | null): Date {
    const expiresAt = earliest(after(this.#tables.now(), held.leaseSeconds), held.deadlineAt);
    this.#change(held, { expiresAt, progress: progress ?? held.progress });
    return expiresAt;
  }

  #change(held: StoredAttempt, changes: Partial<StoredAttempt>): void {
    this.#tables.storedAttempts.set(held.leaseId, { ...held, ...changes });
  }
}

const lockedOf = ({
  inputs: _inputs,
  params: _params,
  lease: _lease,
  progress: _progress,
  ...job
}: DockingJob): LockedJob => job;

const attemptOf = ({
  jobId: _jobId,
  engine: _engine,
  leaseSeconds: _leaseSeconds,
  deadlineAt: _deadlineAt,
  progress: _progress,
  ...attempt
}: StoredAttempt): JobAttempt => attempt;

const claimNote = (
  { worker, engines }: JobClaim,
  claimed: readonly ClaimedJob[],
): Pick<WriteNote, 'action' | 'details'> => {
  const counts = engines
    .map((engine) => [engine, claimed.filter(({ job }) => job.engine === engine).length] as const)
    .filter(([, count]) => count > 0);
  const ends = claimed.map(({ lease }) => lease.expiresAt.getTime());
  return {
    action: 'job.claimed',
    details: {
      status: 'RUNNING',
      worker: worker.name,
      engines: Object.fromEntries(counts),
      job_ids: claimed.map(({ job }) => job.jobId),
      lease_expires_at: new Date(Math.min(...ends)).toISOString(),
    },
  };
};
