import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { StateConflictError } from '../../domain/operators/errors.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Puts an organization's database aside, as `retireDatabase` does, if it is the one that the operator saw. The trail has the
 * intention before anything is done.
 *
 * @returns the name it was put aside under; null when it was gone already
 * @throws {StateConflictError} when the organization has a database of another generation by now
 * @throws see `retireDatabase`
 */
export const retireAsOperator =
  ({ metadata, retireDatabase }: Pick<Ports, 'metadata' | 'retireDatabase'>) =>
  (actor: Actor, organizationId: OrganizationId, seenGeneration: number): Promise<string | null> =>
    retireDatabase(organizationId, async ({ databaseName, serverId, generation }) => {
      if (generation !== seenGeneration) throw new StateConflictError({ generation });
      await metadata.auditLog.append({
        organizationId,
        action: 'database.retirement_requested',
        entityType: 'database',
        entityId: databaseName,
        details: { server_id: serverId, generation },
        ...causedBy(actor),
      });
    });
