import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { OrganizationStatus } from '../../domain/organizations/organization.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';

export class SuspendOrganization {
  readonly #metadata: MetadataDatabase;

  constructor(metadata: MetadataDatabase) {
    this.#metadata = metadata;
  }

  /**
   * Keeps an organization's results from being served, in every process within a second. Requests that run end as they
   * would have; the data stays. Idempotent.
   *
   * @throws {OrganizationNotFoundError}
   */
  suspend(actor: Actor, id: OrganizationId): Promise<void> {
    return this.#move(actor, id, { from: 'active', to: 'suspended', action: 'organization.suspended' });
  }

  /** Takes a suspension back. Idempotent. @throws {OrganizationNotFoundError} */
  resume(actor: Actor, id: OrganizationId): Promise<void> {
    return this.#move(actor, id, { from: 'suspended', to: 'active', action: 'organization.resumed' });
  }

  #move(
    actor: Actor,
    id: OrganizationId,
    { from, to, action }: { from: OrganizationStatus; to: OrganizationStatus; action: string },
  ): Promise<void> {
    return this.#metadata.transaction(async ({ organizations, auditLog }) => {
      if (!(await organizations.moveStatus(id, from, to))) {
        // It has the status already, or there is no such organization.
        if ((await organizations.find(id)) === null) throw new OrganizationNotFoundError();
        return;
      }
      await auditLog.append({
        organizationId: id,
        action,
        entityType: 'organization',
        entityId: id,
        details: { before: from, after: to },
        ...causedBy(actor),
      });
    });
  }
}
