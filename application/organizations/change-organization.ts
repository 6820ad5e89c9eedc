import type { AuditAction } from '../../domain/audit/audit-actions.ts';
import type { PlacementPin } from '../../domain/databases/server.ts';
import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { RoleRequiredError } from '../../domain/identity/errors.ts';
import { hasAnyRole } from '../../domain/identity/principal.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';
import { asUnknownPin, pinDetails } from './pin-details.ts';

/** What is left out stays. */
export interface OrganizationChanges {
  readonly name?: string;
  /** Platform administrators alone change it. A database that exists stays where it is. */
  readonly placement?: Partial<PlacementPin>;
}

/**
 * Changes an organization, all or nothing, and audits each part.
 *
 * @throws {OrganizationNotFoundError}
 * @throws {RoleRequiredError} when another than a platform administrator changes the placement
 * @throws {ValidationError} when nobody recorded the server that it is pinned to
 */
export const changeOrganization =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  async (actor: Actor, id: OrganizationId, { name, placement }: OrganizationChanges): Promise<void> => {
    if (placement !== undefined && !hasAnyRole(actor.principal, ['platform_admin']))
      throw new RoleRequiredError(['platform_admin']);
    const change = metadata.transaction(async ({ organizations, auditLog }) => {
      const before = await organizations.find(id);
      if (before === null) throw new OrganizationNotFoundError();
      const note = (action: AuditAction, details: Readonly<Record<string, unknown>>) =>
        auditLog.append({
          organizationId: id,
          action,
          entityType: 'organization',
          entityId: id,
          details,
          ...causedBy(actor),
        });
      if (name !== undefined) {
        await organizations.rename(id, name);
        await note('organization.renamed', { name, before: before.name });
      }
      if (placement !== undefined) {
        const after = await organizations.pin(id, placement);
        if (after === null) throw new OrganizationNotFoundError();
        await note('organization.placement_changed', {
          before: pinDetails(before.placement),
          after: pinDetails(after.placement),
        });
      }
    });
    await change.catch((error: unknown) => {
      throw asUnknownPin(error);
    });
  };
