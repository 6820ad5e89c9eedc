import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** Is called around every write of results that puts an entry into the audit outbox. */
export interface WriteWatcher {
  /** Call it before the first such write of a transaction, and await the promise if there is one. Never rejects. */
  begin(organizationId: OrganizationId): Promise<void> | null;
  /** Call it once per `begin`, after the transaction; also after a failure, because the server may have committed. */
  end(organizationId: OrganizationId): void;
}
