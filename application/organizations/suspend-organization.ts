import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
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
   * @throws {OrganizationNotFoundError} also when it is retired
   */
  suspend(actor: Actor, id: OrganizationId): Promise<void> {
    return this.#move(actor, id, { from: 'active', to: 'suspended', action: 'organization.suspended' });
  }

  /** Takes a suspension back. Idempotent. @throws {OrganizationNotFoundError} also when it is retired */
  resume(actor: Actor, id: OrganizationId): Promise<void> {
    return this.#move(actor, id, { from: 'suspended', to: 'active', action: 'organization.resumed' });
  }

  #move(
    actor: Actor,
    id: OrganizationId,
    { from, to, action }: { from: 'active' | 'suspended'; to: 'active' | 'suspended'; action: string },
  ): Promise<void> {
    return this.#metadata.transaction(async ({ organizations, auditLog }) => {
      if (!(await organizations.moveStatus(id, from, to))) {
        const organization = await organizations.find(id);
        if (organization === null || organization.status !== to) throw new OrganizationNotFoundError();
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
