import type { AuditAction } from '../../domain/audit/audit-actions.ts';
import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { StateConflictError } from '../../domain/operators/errors.ts';
import type { OrganizationStatus } from '../../domain/organizations/organization.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Keeps an organization's results from being served, in every process within a second. Requests that run end as they
 * would have; the data stays. Idempotent, unless the caller says what status it saw.
 *
 * @throws {OrganizationNotFoundError}
 * @throws {StateConflictError} when it has another status than the caller saw
 */
export const suspendOrganization =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, id: OrganizationId, seen?: OrganizationStatus): Promise<void> =>
    moveStatus(metadata, actor, id, {
      from: 'active',
      to: 'suspended',
      action: 'organization.suspended',
      seen,
    });

/** Takes a suspension back. @throws as `suspendOrganization` does */
export const resumeOrganization =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, id: OrganizationId, seen?: OrganizationStatus): Promise<void> =>
    moveStatus(metadata, actor, id, {
      from: 'suspended',
      to: 'active',
      action: 'organization.resumed',
      seen,
    });

interface StatusMove {
  readonly from: OrganizationStatus;
  readonly to: OrganizationStatus;
  readonly action: AuditAction;
  readonly seen: OrganizationStatus | undefined;
}

const moveStatus = (
  metadata: MetadataDatabase,
  actor: Actor,
  id: OrganizationId,
  { from, to, action, seen }: StatusMove,
): Promise<void> =>
  metadata.transaction(async ({ organizations, auditLog }) => {
    if (!(await organizations.moveStatus(id, from, to))) {
      // It has the status already, or there is no such organization.
      if ((await organizations.find(id)) === null) throw new OrganizationNotFoundError();
      if (seen === from) throw new StateConflictError({ status: to });
      return;
    }
    // Nothing is committed of what is thrown out of here.
    if (seen === to) throw new StateConflictError({ status: from });
    await auditLog.append({
      organizationId: id,
      action,
      entityType: 'organization',
      entityId: id,
      details: { before: from, after: to },
      ...causedBy(actor),
    });
  });
