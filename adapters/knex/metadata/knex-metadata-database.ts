import type {
  MetadataDatabase,
  MetadataRepositories,
} from '../../../application/ports/databases/metadata-database.ts';
import type { SqlDatabase, SqlExecutor } from '../statement.ts';
import { KnexAuditLog } from './knex-audit-log.ts';
import { KnexEventTrail } from './knex-event-trail.ts';
import { KnexIdentityRepository } from './knex-identity-repository.ts';
import { KnexMemberRepository } from './knex-member-repository.ts';
import { KnexOrganizationRepository } from './knex-organization-repository.ts';
import { KnexServerLedger } from './knex-server-ledger.ts';
import { KnexSessionRepository } from './knex-session-repository.ts';
import { KnexUserRepository } from './knex-user-repository.ts';

const repositoriesOver = (executor: SqlExecutor): MetadataRepositories => ({
  organizations: new KnexOrganizationRepository(executor),
  users: new KnexUserRepository(executor),
  members: new KnexMemberRepository(executor),
  identities: new KnexIdentityRepository(executor),
  sessions: new KnexSessionRepository(executor),
  serverLedger: new KnexServerLedger(executor),
  auditLog: new KnexAuditLog(executor),
  events: new KnexEventTrail(executor),
});

/**
 * The repositories of the metadata database. In a transaction they are made anew over its executor, so no repository
 * takes a transaction as an argument.
 */
export const createMetadataDatabase = (database: SqlDatabase): MetadataDatabase => ({
  ...repositoriesOver(database),
  transaction: (work) => database.transaction((executor) => work(repositoriesOver(executor))),
});
