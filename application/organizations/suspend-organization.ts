import type { AuditAction } from '../../domain/audit/audit-actions.ts';
import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import type { OrganizationStatus } from '../../domain/organizations/organization.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Keeps an organization's results from being served, in every process within a second. Requests that run end as they
 * would have; the data stays. Idempotent.
 *
 * @throws {OrganizationNotFoundError}
 */
export const suspendOrganization =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, id: OrganizationId): Promise<void> =>
    moveStatus(metadata, actor, id, { from: 'active', to: 'suspended', action: 'organization.suspended' });

/** Takes a suspension back. Idempotent. @throws {OrganizationNotFoundError} */
export const resumeOrganization =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, id: OrganizationId): Promise<void> =>
    moveStatus(metadata, actor, id, { from: 'suspended', to: 'active', action: 'organization.resumed' });

interface StatusMove {
  readonly from: OrganizationStatus;
  readonly to: OrganizationStatus;
  readonly action: AuditAction;
}

const moveStatus = (
  metadata: MetadataDatabase,
  actor: Actor,
  id: OrganizationId,
  { from, to, action }: StatusMove,
): Promise<void> =>
  metadata.transaction(async ({ organizations, auditLog }) => {
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
