import type { PlacementPin } from '../../domain/databases/server.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { Organization } from '../../domain/organizations/organization.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';
import { asUnknownPin, pinDetails } from './pin-details.ts';

export interface NewOrganization {
  readonly id: OrganizationId;
  readonly name: string;
  /** Where its database has to be; anywhere by default. */
  readonly placement?: PlacementPin;
}

/**
 * Registers an organization. Its results database is made at first use.
 *
 * @throws {OrganizationAlreadyExistsError}
 * @throws {ValidationError} when nobody recorded the server that it is pinned to
 */
export const createOrganization =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, input: NewOrganization): Promise<Organization> =>
    metadata
      .transaction(async ({ organizations, auditLog }) => {
        const organization = await organizations.insert(input);
        await auditLog.append({
          organizationId: organization.id,
          action: 'organization.created',
          entityType: 'organization',
          entityId: organization.id,
          details: {
            name: organization.name,
            ...(input.placement !== undefined && { placement: pinDetails(organization.placement) }),
          },
          ...causedBy(actor),
        });
        return organization;
      })
      .catch((error: unknown) => {
        throw asUnknownPin(error);
      });
