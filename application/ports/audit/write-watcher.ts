import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** Is told of every write of results that leaves an entry in the outbox of the audit trail. */
export interface WriteWatcher {
  /** Before the first such write of a statement or transaction; null when it need not wait. Never rejects. */
  begin(organizationId: OrganizationId): Promise<void> | null;
  /** After it ended, also when it failed: nobody may know whether the server has committed it. Once per `begin`. */
  end(organizationId: OrganizationId): void;
}
