import type { DatabaseServer } from '../ports/databases/database-server.ts';
import type { SpareDatabase } from '../ports/databases/provisioning-ledger.ts';
import type { TemplateRecord } from '../ports/databases/spare-ledger.ts';

/**
 * A spare that is yet to be built, under a name that no organization can have.
 *
 * @param spareId a new UUID
 */
export const newSpare = (
  { serverId, names }: Pick<DatabaseServer, 'serverId' | 'names'>,
  { hash, schemaVersion }: Pick<TemplateRecord, 'hash' | 'schemaVersion'>,
  spareId: string,
): SpareDatabase => ({
  spareId,
  serverId,
  databaseName: names.spare(spareId),
  templateHash: hash,
  schemaVersion,
});
