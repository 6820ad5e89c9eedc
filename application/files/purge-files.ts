import { FilesInUseError } from '../../domain/files/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { DatabaseLedger } from '../ports/databases/database-ledger.ts';
import type { FileStore } from '../ports/files/file-store.ts';

export interface PurgeFilesDeps {
  readonly ledger: Pick<DatabaseLedger, 'find'>;
  readonly fileStore: Pick<FileStore, 'deleteAll'>;
}

/**
 * Deletes the bytes of all files of an organization that has no database any more. A database that was put aside loses them
 * too: after an adoption its files could not be read.
 *
 * @throws {FilesInUseError} while the organization has a database, or is being given one
 */
export const purgeFiles =
  ({ ledger, fileStore }: PurgeFilesDeps) =>
  async (organizationId: OrganizationId): Promise<void> => {
    const record = await ledger.find(organizationId);
    if (record !== null && record.stamp !== null) throw new FilesInUseError();
    await fileStore.deleteAll(organizationId);
  };
