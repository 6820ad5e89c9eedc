import type {
  ResultsDatabase,
  ResultsRepositories,
  StatementLimits,
} from '../../../application/ports/databases/results-database.ts';
import { sql, statement, type SqlDatabase, type SqlExecutor } from '../statement.ts';
import { KnexAuditOutbox } from './knex-audit-outbox.ts';
import { KnexArtifactRepository } from './knex-artifact-repository.ts';
import { KnexCampaignRepository } from './knex-campaign-repository.ts';
import { KnexDockingJobRepository } from './knex-docking-job-repository.ts';
import { KnexFileRepository } from './knex-file-repository.ts';
import { KnexInputSignatureRepository } from './knex-input-signature-repository.ts';
import { KnexJobBatchRepository } from './knex-job-batch-repository.ts';
import { KnexScoreRepository } from './knex-score-repository.ts';
import { KnexJobQueue } from './knex-job-queue.ts';
import { KnexJobAttemptRepository } from './knex-job-attempt-repository.ts';
import { KnexTaskResultRepository } from './knex-task-result-repository.ts';

/** PostgreSQL asks the file system: a millisecond, whatever is in the database. */
const storageBytes = statement<object, { bytes: string }>('storage_bytes', () =>
  sql.select(sql.raw('pg_database_size(current_database()) as bytes')),
);

/** Holds until the transaction ends. The organization cannot lift it: this is the service's session. */
const limit = statement<StatementLimits>(
  'limit_statements',
  (p) =>
    sql.raw(
      `select set_config('statement_timeout', ?, true), set_config('lock_timeout', ?, true),
         set_config('idle_in_transaction_session_timeout', ?, true)`,
      [p('statementMs'), p('lockMs'), p('idleMs')],
    ),
  { isDeferrable: true },
);

class KnexResultsRepositories implements ResultsRepositories {
  readonly jobs: KnexDockingJobRepository;
  readonly attempts: KnexJobAttemptRepository;
  readonly taskResults: KnexTaskResultRepository;
  readonly artifacts: KnexArtifactRepository;
  readonly files: KnexFileRepository;
  readonly inputSignatures: KnexInputSignatureRepository;
  readonly scores: KnexScoreRepository;
  readonly batches: KnexJobBatchRepository;
  readonly campaigns: KnexCampaignRepository;
  readonly queue: KnexJobQueue;
  readonly auditOutbox: KnexAuditOutbox;

  constructor(executor: SqlExecutor) {
    this.jobs = new KnexDockingJobRepository(executor);
    this.attempts = new KnexJobAttemptRepository(executor);
    this.taskResults = new KnexTaskResultRepository(executor);
    this.artifacts = new KnexArtifactRepository(executor);
    this.files = new KnexFileRepository(executor);
    this.inputSignatures = new KnexInputSignatureRepository(executor);
    this.scores = new KnexScoreRepository(executor);
    this.batches = new KnexJobBatchRepository(executor);
    this.campaigns = new KnexCampaignRepository(executor);
    this.queue = new KnexJobQueue(executor);
    this.auditOutbox = new KnexAuditOutbox(executor);
  }
}

/** The repositories of one organization. Each lease has its own. */
export class KnexResultsDatabase extends KnexResultsRepositories implements ResultsDatabase {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    super(database);
    this.#database = database;
  }

  /** Hands `work` repositories on the transaction's connection, so a use case never passes a transaction along. */
  transaction<Result>(
    work: (repositories: ResultsRepositories) => Promise<Result>,
    limits?: StatementLimits,
  ): Promise<Result> {
    return this.#database.transaction(async (executor) => {
      // It goes with the first statement.
      if (limits !== undefined) await executor.query(limit(limits));
      return work(new KnexResultsRepositories(executor));
    });
  }

  async storageBytes(): Promise<number> {
    const [row] = await this.#database.query(storageBytes({}));
    if (row === undefined) throw new Error('a size without a row');
    return Number(row.bytes);
  }
}
