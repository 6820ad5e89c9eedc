import type {
  ResultsDatabase,
  ResultsRepositories,
} from '../../../application/ports/databases/results-database.ts';
import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import type { Artifact } from '../../../domain/jobs/artifact.ts';
import type { DockingJob, JobSummary } from '../../../domain/jobs/docking-job.ts';
import { insertedJob, type JobKey, type NewDockingJob } from '../../../domain/jobs/docking-job-repository.ts';
import type { InputSignature } from '../../../domain/jobs/input-signature.ts';
import type { TaskResult } from '../../../domain/jobs/task-result.ts';
import { JsonText } from '../../../domain/json-text.ts';
import { toPage } from '../../../domain/page.ts';
import { fakePart } from './fake-part.ts';
import { asJsonb } from './as-jsonb.ts';
import { FakeAttempts, type StoredAttempt } from './fake-attempts.ts';
import { FakeTransactions, saveList, saveMap } from './fake-transactions.ts';

const START = Date.parse('2026-01-02T03:04:05.678Z');

/** One organization's results in memory, as far as the HTTP side reaches them. */
export class FakeResults implements ResultsDatabase {
  readonly storedJobs = new Map<string, DockingJob>();
  readonly keys = new Map<string, { jobId: string; requestHash: string }>();
  readonly signatures = new Map<string, InputSignature>();
  readonly storedTaskResults = new Map<string, TaskResult>();
  readonly storedArtifacts: Artifact[] = [];
  /** Called before jobs are listed, and awaited. */
  onListing: () => void | Promise<void> = () => undefined;
  /** What the trail will tell, in the order of the writes. */
  readonly notes: WriteNote[] = [];

  readonly jobs: ResultsRepositories['jobs'] = {
    insert: async (job) => this.#insertJob(job),
    find: async (jobId) => {
      const job = this.storedJobs.get(jobId);
      return job === undefined ? null : this.#withLease(job);
    },
    findSummary: async (jobId) => this.#findSummary(jobId),
    findForUpdate: async (jobId) => {
      const { lease: _lease, progress: _progress, ...locked } = this.#findSummary(jobId) ?? {};
      return 'jobId' in locked ? locked : null;
    },
    findByIdempotencyKey: async (key) => {
      const earlier = this.keys.get(key);
      const job = earlier && this.storedJobs.get(earlier.jobId);
      return earlier && job ? { job: this.#withLease(job), requestHash: earlier.requestHash } : null;
    },
    list: async ({ status }, part) => {
      const { after } = part;
      await this.onListing();
      const following = [...this.storedJobs.values()]
        .filter((job) => status === null || job.status === status)
        .filter((job) => after === null || compareKeys(job, after) < 0)
        .toSorted((a, b) => compareKeys(b, a))
        .map((job) => this.#withLease(job));
      return fakePart(following, part, ({ createdAt, jobId }) => ({ createdAt, jobId }));
    },
    setStatus: async (jobId, status, error, note) => {
      const job = this.storedJobs.get(jobId);
      if (job === undefined) throw new Error('no such job');
      this.notes.push(note);
      const at = this.#now();
      const times = status === 'RUNNING' ? { startedAt: at, completedAt: null } : { completedAt: at };
      const moved = { ...job, status, error, updatedAt: at, ...times };
      this.storedJobs.set(jobId, moved);
      return moved;
    },
  };

  readonly storedAttempts = new Map<string, StoredAttempt>();
  /** When jobs that wait for a moment are due. */
  readonly notBefore = new Map<string, Date>();
  /** Under which lease each output was written, by its key or id. */
  readonly #leases = new Map<string, string | null>();
  #artifacts = 0;
  readonly attempts = new FakeAttempts({
    storedJobs: this.storedJobs,
    storedAttempts: this.storedAttempts,
    notBefore: this.notBefore,
    notes: this.notes,
    now: () => this.#now(),
    newLeaseId: () => fakeUuid(1_000_000 + this.storedAttempts.size),
    dropOutputOf: (leaseId) => this.#dropOutputOf(leaseId),
  });

  readonly taskResults: ResultsRepositories['taskResults'] = {
    put: async ({ note, leaseId, resultData, ...result }) => {
      this.notes.push(note);
      const key = `${result.jobId}/${result.taskName}`;
      this.#leases.set(key, leaseId);
      const earlier = this.storedTaskResults.get(key);
      const updatedAt = this.#now();
      const { taskResultId, createdAt } = earlier ?? {
        taskResultId: fakeUuid(this.storedTaskResults.size + 1),
        createdAt: updatedAt,
      };
      const kept = JsonText.of(asJsonb(resultData));
      const stored = { ...result, resultData: kept, taskResultId, createdAt, updatedAt };
      this.storedTaskResults.set(key, stored);
      return { result: stored, created: earlier === undefined };
    },
    listByJob: async (jobId, part) => {
      const { after } = part;
      const following = this.#taskResultsOf(jobId).filter(
        ({ taskName }) => after === null || taskName > after,
      );
      return fakePart(following, part, ({ taskName }) => taskName);
    },
  };

  readonly artifacts: ResultsRepositories['artifacts'] = {
    insert: async ({ note, leaseId, ...artifact }) => {
      this.notes.push(note);
      this.#artifacts += 1;
      const artifactId = fakeUuid(this.#artifacts + 1);
      this.#leases.set(artifactId, leaseId);
      const stored = { ...artifact, artifactId, createdAt: this.#now() };
      this.storedArtifacts.push(stored);
      return stored;
    },
    listByJob: async (jobId, { limit, after }) => {
      const following = [...this.storedArtifacts.entries()]
        .map(([index, artifact]) => ({ position: String(index + 1), artifact }))
        .filter(({ artifact }) => artifact.jobId === jobId)
        .filter(({ position }) => after === null || Number(position) > Number(after));
      const { items, next } = toPage(following, limit, ({ position }) => position);
      return { items: items.map(({ artifact }) => artifact), next };
    },
  };

  readonly inputSignatures: ResultsRepositories['inputSignatures'] = {
    find: async (signature) => this.signatures.get(signature) ?? null,
    use: async (signature) => {
      const entry = this.signatures.get(signature);
      if (entry === undefined) return null;
      const used = { ...entry, hitCount: entry.hitCount + 1, lastUsedAt: this.#now() };
      this.signatures.set(signature, used);
      return used;
    },
    canonize: async ({ jobId, inputSignature: signature }) => {
      const results = this.#taskResultsOf(jobId);
      if (results.length === 0) return;
      const scores = results.flatMap(({ confidenceScore }) => confidenceScore ?? []);
      const at = this.#now();
      this.signatures.set(signature, {
        hitCount: 0,
        createdAt: at,
        lastUsedAt: at,
        ...this.signatures.get(signature),
        signature,
        canonicalJobId: jobId,
        confidenceScore: scores.length === 0 ? null : Math.min(...scores),
        expiresAt: null,
      });
    },
  };

  readonly auditOutbox: ResultsRepositories['auditOutbox'] = {
    take: async () => ({ count: 0, rows: [] }),
  };

  readonly #transactions = new FakeTransactions(() => [
    saveMap(this.storedJobs),
    saveMap(this.keys),
    saveMap(this.signatures),
    saveMap(this.storedTaskResults),
    saveMap(this.storedAttempts),
    saveMap(this.notBefore),
    saveList(this.storedArtifacts),
    saveList(this.notes),
  ]);
  /** All that one transaction writes is of its beginning. */
  #beganAt: Date | null = null;

  transaction<Result>(work: (repositories: ResultsRepositories) => Promise<Result>): Promise<Result> {
    return this.#transactions.run(async () => {
      this.#beganAt = this.#now();
      try {
        return await work(this);
      } finally {
        this.#beganAt = null;
      }
    });
  }

  #findSummary(jobId: string): JobSummary | null {
    const job = this.storedJobs.get(jobId);
    if (job === undefined) return null;
    const { inputs: _inputs, params: _params, ...summary } = this.#withLease(job);
    return summary;
  }

  #withLease(job: DockingJob): DockingJob {
    const held = job.status === 'RUNNING' ? this.attempts.liveOf(job.jobId) : undefined;
    if (held === undefined) return { ...job, lease: null, progress: null };
    const { worker, expiresAt, progress } = held;
    return { ...job, lease: { worker: worker.name, expiresAt }, progress };
  }

  #dropOutputOf(leaseId: string): void {
    for (const key of this.storedTaskResults.keys())
      if (this.#leases.get(key) === leaseId) this.storedTaskResults.delete(key);
    const kept = this.storedArtifacts.filter(({ artifactId }) => this.#leases.get(artifactId) !== leaseId);
    this.storedArtifacts.splice(0, this.storedArtifacts.length, ...kept);
  }

  #taskResultsOf(jobId: string): readonly TaskResult[] {
    return [...this.storedTaskResults.values()]
      .filter((result) => result.jobId === jobId)
      .toSorted((a, b) => (a.taskName < b.taskName ? -1 : 1));
  }

  /** What the organization's database takes. */
  storage = 8_000_000;
  /** How often that was asked. */
  measurements = 0;

  async storageBytes(): Promise<number> {
    this.measurements += 1;
    return this.storage;
  }

  #now(): Date {
    return this.#beganAt ?? new Date(START + this.storedJobs.size * 1000);
  }

  #insertJob(job: NewDockingJob): DockingJob | null {
    const { idempotency, note } = job;
    if (idempotency !== null) {
      if (this.keys.has(idempotency.key)) return null;
      this.keys.set(idempotency.key, { jobId: job.jobId, requestHash: idempotency.requestHash });
    }
    const stored = insertedJob(job, {
      createdAt: this.#now(),
      inputs: JsonText.of(asJsonb(job.inputs)),
      params: JsonText.of(asJsonb(job.params)),
    });
    this.storedJobs.set(job.jobId, stored);
    this.notes.push(note);
    return stored;
  }
}

const compareKeys = (one: JobKey, other: JobKey): number =>
  one.createdAt.getTime() - other.createdAt.getTime() ||
  (one.jobId < other.jobId ? -1 : Number(one.jobId > other.jobId));

/** A UUID that a test can recognize. */
export const fakeUuid = (number: number): string =>
  `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
