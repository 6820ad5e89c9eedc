import type { ResultsDatabase, ResultsRepositories } from '../../../application/ports/results-database.ts';
import type { SqlDatabase, SqlExecutor } from '../statement.ts';
import { KnexAuditOutbox } from './knex-audit-outbox.ts';
import { KnexArtifactRepository } from './knex-artifact-repository.ts';
import { KnexDockingJobRepository } from './knex-docking-job-repository.ts';
import { KnexInputSignatureRepository } from './knex-input-signature-repository.ts';
import { KnexTaskResultRepository } from './knex-task-result-repository.ts';

const repositoriesOver = (executor: SqlExecutor): ResultsRepositories => ({
  jobs: new KnexDockingJobRepository(executor),
  taskResults: new KnexTaskResultRepository(executor),
  artifacts: new KnexArtifactRepository(executor),
  inputSignatures: new KnexInputSignatureRepository(executor),
  auditOutbox: new KnexAuditOutbox(executor),
});

/** The repositories of one organization, over its own pool: built once per pool. */
export const createResultsDatabase = (database: SqlDatabase): ResultsDatabase => ({
  ...repositoriesOver(database),
  // The same repositories over the transaction's connection: no use case ever passes a transaction along.
  transaction: (work) => database.transaction((executor) => work(repositoriesOver(executor))),
});
