import type {
  ResultsDatabase,
  ResultsRepositories,
} from '../../../application/ports/databases/results-database.ts';
import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import type { Campaign } from '../../../domain/campaigns/campaign.ts';
import type { Artifact } from '../../../domain/jobs/artifact.ts';
import type { DockingJob, JobSummary } from '../../../domain/jobs/docking-job.ts';
import {
  insertedJob,
  type JobFilter,
  type JobKey,
  type NewDockingJob,
} from '../../../domain/jobs/docking-job-repository.ts';
import type { NewJobBatch } from '../../../domain/jobs/job-batch.ts';
import { MOST_ENGINES, type EngineQueue } from '../../../domain/jobs/job-queue.ts';
import type { InputSignature } from '../../../domain/jobs/input-signature.ts';
import type { TaskResult } from '../../../domain/jobs/task-result.ts';
import { JsonText } from '../../../domain/json-text.ts';
import { toPage, type PagePart, type PartRequest } from '../../../domain/page.ts';
import { fakePart } from './fake-part.ts';
import { asJsonb } from './as-jsonb.ts';
import { FakeFiles } from './fake-files.ts';
import { FakeAttempts, type StoredAttempt } from './fake-attempts.ts';
import { fakeCampaigns } from './fake-campaigns.ts';
import { fakeScoreOf, fakeScores, posesText, type FakeScore, type FakeTaskScore } from './fake-scores.ts';
import { FakeTransactions, saveList, saveMap } from './fake-transactions.ts';

const START = Date.parse('2026-01-02T03:04:05.678Z');

/** One organization's results in memory, as far as the HTTP side reaches them. */
export class FakeResults implements ResultsDatabase {
  readonly storedJobs = new Map<string, DockingJob>();
  readonly keys = new Map<string, { jobId: string; requestHash: string }>();
  readonly signatures = new Map<string, InputSignature>();
  readonly storedTaskResults = new Map<string, TaskResult>();
  readonly storedArtifacts: Artifact[] = [];
  readonly storedCampaigns = new Map<string, Campaign>();
  readonly storedScores = new Map<string, FakeScore>();
  readonly storedBatches = new Map<string, NewJobBatch>();
  readonly #taskScores = new Map<string, FakeTaskScore>();
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
    list: (filter, part) => this.#listJobs(filter, part, (job) => job),
    listSummaries: (filter, part) => this.#listJobs(filter, part, summaryOf),
    countPending: async (most) =>
      Math.min(most, [...this.storedJobs.values()].filter(({ status }) => status === 'PENDING').length),
    // A transaction of this fake is alone.
    lockPending: async () => undefined,
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
    put: async ({ note, leaseId, resultData, poses, score, ...result }) => {
      this.notes.push(note);
      const { jobId, taskName } = result;
      const key = `${jobId}/${taskName}`;
      this.#leases.set(key, leaseId);
      this.#taskScores.set(key, { jobId, taskName, poses, ...score });
      const earlier = this.storedTaskResults.get(key);
      const updatedAt = this.#now();
      const { taskResultId, createdAt } = earlier ?? {
        taskResultId: fakeUuid(this.storedTaskResults.size + 1),
        createdAt: updatedAt,
      };
      const kept = JsonText.of(asJsonb(resultData));
      const found = { resultData: kept, poses: posesText(poses), suspect: score.suspect };
      const stored = { ...result, ...found, taskResultId, createdAt, updatedAt };
      this.storedTaskResults.set(key, stored);
      return { result: stored, created: earlier === undefined };
    },
    putAll: async (results) => {
      for (const result of results) await this.taskResults.put(result);
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
    find: async (jobId, artifactId) =>
      this.storedArtifacts.find(
        (artifact) => artifact.jobId === jobId && artifact.artifactId === artifactId,
      ) ?? null,
    filesOf: async (artifactIds) =>
      new Map(
        this.storedArtifacts.flatMap(({ artifactId, sha256 }) =>
          sha256 !== null && artifactIds.includes(artifactId) ? [[artifactId, sha256]] : [],
        ),
      ),
    insertAll: async (artifacts) => {
      for (const artifact of artifacts) await this.artifacts.insert(artifact);
    },
    findByNames: async (keys) =>
      keys.flatMap(
        ({ jobId, name }) =>
          this.storedArtifacts.find((artifact) => artifact.jobId === jobId && artifact.name === name) ?? [],
      ),
  };

  readonly files = new FakeFiles({
    now: () => this.#now(),
    note: (note) => this.notes.push(note),
    isOfArtifact: (sha256) => this.storedArtifacts.some((artifact) => artifact.sha256 === sha256),
    isOfCampaign: (sha256) =>
      [...this.storedCampaigns.values()].some(({ inputs }) => inputs.text.includes(`"sha256:${sha256}"`)),
  });

  readonly inputSignatures: ResultsRepositories['inputSignatures'] = {
    find: async (signature) => this.signatures.get(signature) ?? null,
    use: async (signature) => {
      const entry = this.signatures.get(signature);
      if (entry === undefined) return null;
      const used = { ...entry, hitCount: entry.hitCount + 1, lastUsedAt: this.#now() };
      this.signatures.set(signature, used);
      return used;
    },
    useAll: async (uses) => {
      const used = Array.from(uses).flatMap(([signature, count]): [string, InputSignature][] => {
        const entry = this.signatures.get(signature);
        if (entry === undefined) return [];
        return [[signature, { ...entry, hitCount: entry.hitCount + count, lastUsedAt: this.#now() }]];
      });
      for (const [signature, entry] of used) this.signatures.set(signature, entry);
      return new Map(used);
    },
    canonize: async (jobs) => {
      for (const job of jobs) this.#canonize(job);
    },
    pin: async (signature, note) => this.#setPinned(signature, true, note),
    unpin: async (signature, note) => this.#setPinned(signature, false, note),
    invalidate: async (signature, note) => {
      const entry = this.signatures.get(signature);
      if (entry === undefined) return null;
      this.signatures.delete(signature);
      this.notes.push(note);
      return entry;
    },
  };

  readonly scores: ResultsRepositories['scores'] = fakeScores(this.storedScores, this.storedJobs);

  readonly campaigns: ResultsRepositories['campaigns'] = fakeCampaigns({
    campaigns: this.storedCampaigns,
    jobs: this.storedJobs,
    scores: this.storedScores,
    notes: this.notes,
    now: () => this.#now(),
  });

  readonly batches: ResultsRepositories['batches'] = {
    insert: async (batch) => {
      const { key } = batch.idempotency ?? { key: batch.batchId };
      if (this.storedBatches.has(key)) return false;
      this.storedBatches.set(key, batch);
      for (const job of batch.jobs)
        this.#storeJob({ ...job, retryOf: null, idempotency: null, note: batch.note });
      this.notes.push(batch.note);
      return true;
    },
    findByIdempotencyKey: async (key) => {
      const batch = this.storedBatches.get(key);
      if (!batch?.idempotency) return null;
      const { batchId, campaignId, jobs, idempotency } = batch;
      const items = jobs.map(({ jobId, cache }) => ({
        jobId,
        status: this.storedJobs.get(jobId)?.status ?? 'PENDING',
        cacheHit: cache.hit,
      }));
      return { batch: { batchId, campaignId, items }, requestHash: idempotency.requestHash };
    },
  };

  /** The engines' parts of the queue that the jobs do not tell. */
  readonly queueParts = new Map<string, Partial<EngineQueue>>();

  readonly queue: ResultsRepositories['queue'] = {
    survey: async () => {
      const jobs = [...this.storedJobs.values()].filter(({ status }) =>
        ['PENDING', 'RUNNING'].includes(status),
      );
      const engines = [
        ...new Set([...jobs.map(({ engine }) => engine), ...this.queueParts.keys()]),
      ].toSorted();
      return {
        engines: engines.slice(0, MOST_ENGINES).map((engine) => this.#queueOf(engine, jobs)),
        isCut: engines.length > MOST_ENGINES,
      };
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
    saveMap(this.#taskScores),
    saveMap(this.storedCampaigns),
    saveMap(this.storedScores),
    saveMap(this.storedBatches),
    saveMap(this.storedAttempts),
    saveMap(this.notBefore),
    saveList(this.storedArtifacts),
    saveMap(this.files.rows),
    saveMap(this.files.uploads),
    saveList(this.files.references),
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

  #canonize({ jobId, inputSignature: signature }: Pick<DockingJob, 'jobId' | 'inputSignature'>): void {
    const results = this.#taskResultsOf(jobId);
    const taskScores = [...this.#taskScores.values()].filter((result) => result.jobId === jobId);
    const stored = { jobs: this.storedJobs, artifacts: this.storedArtifacts };
    const score = fakeScoreOf(jobId, taskScores, stored);
    if (score !== null) this.storedScores.set(jobId, score);
    const earlier = this.signatures.get(signature);
    const isSuspect = taskScores.some(({ suspect }) => suspect.length > 0);
    if (results.length === 0 || isSuspect || earlier?.pinned === true) return;
    const scores = results.flatMap(({ confidenceScore }) => confidenceScore ?? []);
    const at = this.#now();
    this.signatures.set(signature, {
      hitCount: 0,
      createdAt: at,
      lastUsedAt: at,
      pinned: false,
      ...earlier,
      signature,
      canonicalJobId: jobId,
      confidenceScore: scores.length === 0 ? null : Math.min(...scores),
      expiresAt: null,
    });
  }

  #queueOf(engine: string, jobs: readonly DockingJob[]): EngineQueue {
    const ofEngine = jobs.filter((job) => job.engine === engine);
    const pending = ofEngine.filter(({ status }) => status === 'PENDING');
    return {
      engine,
      due: pending.length,
      delayed: 0,
      oldestAt:
        pending.map(({ createdAt }) => createdAt).toSorted((a, b) => Number(a) - Number(b))[0] ?? null,
      nextDueAt: null,
      leased: 0,
      unleased: ofEngine.length - pending.length,
      lapsed: 0,
      workers: [],
      ...this.queueParts.get(engine),
    };
  }

  #findSummary(jobId: string): JobSummary | null {
    const job = this.storedJobs.get(jobId);
    return job === undefined ? null : summaryOf(this.#withLease(job));
  }

  async #listJobs<Listed extends JobKey>(
    filter: JobFilter,
    part: PartRequest<JobKey>,
    show: (job: DockingJob) => Listed,
  ): Promise<PagePart<Listed, JobKey>> {
    const { after } = part;
    await this.onListing();
    const following = [...this.storedJobs.values()]
      .filter((job) => matches(job, filter))
      .filter((job) => after === null || compareKeys(job, after) < 0)
      .toSorted((a, b) => compareKeys(b, a))
      .map((job) => show(this.#withLease(job)));
    return fakePart(following, part, ({ createdAt, jobId }) => ({ createdAt, jobId }));
  }

  #withLease(job: DockingJob): DockingJob {
    const held = job.status === 'RUNNING' ? this.attempts.liveOf(job.jobId) : undefined;
    if (held === undefined) return { ...job, lease: null, progress: null };
    const { worker, expiresAt, progress } = held;
    return { ...job, lease: { worker: worker.name, expiresAt }, progress };
  }

  #dropOutputOf(leaseId: string): void {
    for (const key of this.storedTaskResults.keys())
      if (this.#leases.get(key) === leaseId) {
        this.storedTaskResults.delete(key);
        this.#taskScores.delete(key);
      }
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
    this.notes.push(note);
    return this.#storeJob(job);
  }

  #setPinned(signature: string, pinned: boolean, note: WriteNote): InputSignature | null {
    const entry = this.signatures.get(signature);
    if (entry === undefined) return null;
    const changed = { ...entry, pinned };
    this.signatures.set(signature, changed);
    this.notes.push(note);
    return changed;
  }

  #storeJob(job: NewDockingJob): DockingJob {
    const stored = insertedJob(job, {
      createdAt: this.#now(),
      inputs: JsonText.of(asJsonb(job.inputs)),
      params: JsonText.of(asJsonb(job.params)),
    });
    this.storedJobs.set(job.jobId, stored);
    return stored;
  }
}

const compareKeys = (one: JobKey, other: JobKey): number =>
  one.createdAt.getTime() - other.createdAt.getTime() ||
  (one.jobId < other.jobId ? -1 : Number(one.jobId > other.jobId));

const summaryOf = ({ inputs: _inputs, params: _params, ...summary }: DockingJob): JobSummary => summary;

const matches = (job: DockingJob, { createdAfter, createdBefore, ...wanted }: JobFilter): boolean =>
  (Object.keys(wanted) as (keyof typeof wanted)[]).every(
    (field) => (wanted[field] ?? job[field]) === job[field],
  ) &&
  job.createdAt > (createdAfter ?? new Date(0)) &&
  (!createdBefore || job.createdAt < createdBefore);

/** A UUID that a test can recognize. */
export const fakeUuid = (number: number): string =>
  `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
