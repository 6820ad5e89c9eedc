import type { CampaignRepository } from '../../../domain/campaigns/campaign.ts';
import type { FileRepository } from '../../../domain/files/file-repository.ts';
import type { ArtifactRepository } from '../../../domain/jobs/artifact.ts';
import type { JobAttemptRepository } from '../../../domain/jobs/job-attempt-repository.ts';
import type { DockingJobRepository } from '../../../domain/jobs/docking-job-repository.ts';
import type { JobQueue } from '../../../domain/jobs/job-queue.ts';
import type { InputSignatureRepository } from '../../../domain/jobs/input-signature.ts';
import type { JobBatchRepository } from '../../../domain/jobs/job-batch.ts';
import type { ScoreRepository } from '../../../domain/jobs/ranking.ts';
import type { TaskResultRepository } from '../../../domain/jobs/task-result.ts';
import type { AuditOutbox } from '../audit/audit-outbox.ts';

export interface ResultsRepositories {
  readonly jobs: DockingJobRepository;
  readonly attempts: JobAttemptRepository;
  readonly taskResults: TaskResultRepository;
  readonly artifacts: ArtifactRepository;
  readonly files: FileRepository;
  readonly inputSignatures: InputSignatureRepository;
  readonly scores: ScoreRepository;
  readonly batches: JobBatchRepository;
  readonly campaigns: CampaignRepository;
  readonly queue: JobQueue;
  readonly auditOutbox: AuditOutbox;
}

/** Milliseconds that each statement of a transaction may take and may wait for each lock, and that may pass until the next. */
export interface StatementLimits {
  readonly statementMs: number;
  readonly lockMs: number;
  readonly idleMs: number;
}

/**
 * One organization's data. Whoever holds it can name no other organization.
 *
 * Every method may throw {DatabaseConnectionError}, {OrganizationBusyError} or {ConnectionBudgetExhaustedError}.
 */
export interface ResultsDatabase extends ResultsRepositories {
  /**
   * Runs `work` on one connection; commits when it resolves, rolls back when it rejects. Never retried.
   *
   * @param limits in place of those that the organization has set, which may be a millisecond or an hour: for work that is not its own
   */
  transaction<Result>(
    work: (repositories: ResultsRepositories) => Promise<Result>,
    limits?: StatementLimits,
  ): Promise<Result>;
  /** What the whole database takes on its server, indexes included. */
  storageBytes(): Promise<number>;
}

/**
 * Leases the organization's database for as long as `work` takes. For what also waits for bytes: they come and go while
 * nothing is leased. Decision 0046.
 */
export type WithDatabase = <Result>(work: (database: ResultsDatabase) => Promise<Result>) => Promise<Result>;
