import type { MetadataDatabase, MetadataRepositories } from '../../../application/ports/metadata-database.ts';
import type { SqlDatabase, SqlExecutor } from '../statement.ts';
import { KnexAuditLog } from './knex-audit-log.ts';
import { KnexOrganizationRepository } from './knex-organization-repository.ts';
import { KnexUserRepository } from './knex-user-repository.ts';

const repositoriesOver = (executor: SqlExecutor): MetadataRepositories => ({
  organizations: new KnexOrganizationRepository(executor),
  users: new KnexUserRepository(executor),
  auditLog: new KnexAuditLog(executor),
});

/** The shared repositories, over the metadata pool. */
export const createMetadataDatabase = (database: SqlDatabase): MetadataDatabase => ({
  ...repositoriesOver(database),
  transaction: (work) => database.transaction((executor) => work(repositoriesOver(executor))),
});
