import type { ResultsDatabase, ResultsRepositories } from '../../../../application/ports/results-database.ts';
import type { WriteNote } from '../../../../domain/audit/audit-log.ts';
import type { Artifact } from '../../../../domain/jobs/artifact.ts';
import type { DockingJob } from '../../../../domain/jobs/docking-job.ts';
import type { NewDockingJob } from '../../../../domain/jobs/docking-job-repository.ts';
import type { InputSignature } from '../../../../domain/jobs/input-signature.ts';
import type { TaskResult } from '../../../../domain/jobs/task-result.ts';
import { toPage } from '../../../../domain/page.ts';

const START = Date.parse('2026-01-02T03:04:05.678Z');

/** One organization's results in memory, as far as the HTTP side reaches them. */
export class FakeResults implements ResultsDatabase {
  readonly storedJobs = new Map<string, DockingJob>();
  readonly keys = new Map<string, { jobId: string; requestHash: string }>();
  readonly signatures = new Map<string, InputSignature>();
  readonly storedTaskResults = new Map<string, TaskResult>();
  readonly storedArtifacts: Artifact[] = [];
  /** What the trail will tell, in the order of the writes. */
  readonly notes: WriteNote[] = [];

  readonly jobs: ResultsRepositories['jobs'] = {
    insert: async (job) => this.#insertJob(job),
    find: async (jobId) => this.storedJobs.get(jobId) ?? null,
    findForUpdate: async (jobId) => this.storedJobs.get(jobId) ?? null,
    findByIdempotencyKey: async (key) => {
      const earlier = this.keys.get(key);
      const job = earlier && this.storedJobs.get(earlier.jobId);
      return earlier && job ? { job, requestHash: earlier.requestHash } : null;
    },
    list: async ({ status }, { limit, after }) => {
      const following = [...this.storedJobs.values()]
        .filter((job) => status === null || job.status === status)
        .filter((job) => after === null || job.createdAt < after.createdAt)
        .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
      return toPage(following, limit, ({ createdAt, jobId }) => ({ createdAt, jobId }));
    },
    setStatus: async (jobId, status, error, note) => {
      const job = this.storedJobs.get(jobId);
      if (job === undefined) throw new Error('no such job');
      this.notes.push(note);
      const moved = { ...job, status, error };
      this.storedJobs.set(jobId, moved);
      return moved;
    },
  };

  readonly taskResults: ResultsRepositories['taskResults'] = {
    put: async ({ note, ...result }) => {
      this.notes.push(note);
      const key = `${result.jobId}/${result.taskName}`;
      const created = !this.storedTaskResults.has(key);
      const at = new Date(START);
      const stored = { ...result, taskResultId: fakeUuid(1), createdAt: at, updatedAt: at };
      this.storedTaskResults.set(key, stored);
      return { result: stored, created };
    },
    listByJob: async (jobId) =>
      [...this.storedTaskResults.values()].filter((result) => result.jobId === jobId),
  };

  readonly artifacts: ResultsRepositories['artifacts'] = {
    insert: async ({ note, ...artifact }) => {
      this.notes.push(note);
      const stored = { ...artifact, artifactId: fakeUuid(2), createdAt: new Date(START) };
      this.storedArtifacts.push(stored);
      return stored;
    },
    listByJob: async (jobId) => this.storedArtifacts.filter((artifact) => artifact.jobId === jobId),
  };

  readonly inputSignatures: ResultsRepositories['inputSignatures'] = {
    find: async (signature) => this.signatures.get(signature) ?? null,
    use: async (signature) => this.signatures.get(signature) ?? null,
    canonize: async () => {},
  };

  readonly auditOutbox: ResultsRepositories['auditOutbox'] = {
    take: async () => ({ count: 0, entries: '[]' }),
  };

  async transaction<Result>(work: (repositories: ResultsRepositories) => Promise<Result>): Promise<Result> {
    return work(this);
  }

  #insertJob({ idempotency, note, ...job }: NewDockingJob): DockingJob | null {
    if (idempotency !== null) {
      if (this.keys.has(idempotency.key)) return null;
      this.keys.set(idempotency.key, { jobId: job.jobId, requestHash: idempotency.requestHash });
    }
    const at = new Date(START + this.storedJobs.size * 1000);
    const stored = { ...job, createdAt: at, updatedAt: at, startedAt: null, completedAt: null, error: null };
    this.storedJobs.set(job.jobId, stored);
    this.notes.push(note);
    return stored;
  }
}

/** A UUID that a test can recognize. */
export const fakeUuid = (number: number): string =>
  `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
