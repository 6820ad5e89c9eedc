import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** Is called around every write of results that puts an entry into the audit outbox. */
export interface WriteWatcher {
  /**
   * Call it before the first such write of a transaction. The write waits for the promise; null: no wait. Never
   * rejects.
   */
  begin(organizationId: OrganizationId): Promise<void> | null;
  /**
   * Call it once per `begin`, after the transaction. Also after a failure: the server may have committed all the
   * same.
   */
  end(organizationId: OrganizationId): void;
}
