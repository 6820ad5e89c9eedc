import type { Placement } from '../../domain/databases/placement.ts';
import type { DatabaseRecord } from '../ports/databases/database-ledger.ts';

/** Where a claimed database is, and how it is known. @throws {Error} for a record without a stamp */
export const placementOf = (
  { organizationId, serverId, databaseName, stamp, generation }: DatabaseRecord,
  deploymentId: string,
): Placement => {
  if (stamp === null) throw new Error(`the ledger has no stamp for the database of ${organizationId}`);
  return { deploymentId, organizationId, serverId, databaseName, stamp, generation };
};
