import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { DatabaseServer, DatabaseServers } from '../ports/databases/database-server.ts';
import type { PlacementOffer } from '../ports/databases/provisioning-ledger.ts';
import { newSpare } from './new-spare.ts';

export interface OfferPorts {
  readonly servers: DatabaseServers;
  /** Makes a UUID. */
  readonly newId: () => string;
}

/**
 * What the servers that answer can give a new organization. A server whose template is known to stand is offered at
 * once. The others are waited for only while there is none: a server that is slow or gone delays nobody who can go elsewhere.
 *
 * @throws {DatabaseConnectionError} when no server answers
 */
export const collectOffers = async (
  ports: OfferPorts,
  organizationId: OrganizationId,
): Promise<readonly PlacementOffer[]> => {
  const available = availableOf(ports);
  if (available.length === 0) throw new DatabaseConnectionError('No server of results databases answers.');
  if (available.every(({ template }) => template.current === null)) await anyTemplate(available);
  return offersOf(ports, organizationId);
};

/** As `collectOffers`, for an organization that none of the servers offered may take: waits for every server that answers. */
export const collectAllOffers = async (
  ports: OfferPorts,
  organizationId: OrganizationId,
): Promise<readonly PlacementOffer[]> => {
  await Promise.allSettled(availableOf(ports).map(({ template }) => template.ready()));
  return offersOf(ports, organizationId);
};

const availableOf = ({ servers }: OfferPorts): readonly DatabaseServer[] =>
  servers.list().filter(({ isAvailable }) => isAvailable);

const offersOf = (ports: OfferPorts, organizationId: OrganizationId): readonly PlacementOffer[] =>
  availableOf(ports).flatMap((server) => {
    const { current } = server.template;
    if (current === null) return [];
    const databaseName = server.names.forOrganization(organizationId);
    return { databaseName, fresh: newSpare(server, current, ports.newId()) };
  });

/** Rejects with the first server's error when no server can build its template. */
const anyTemplate = async (servers: readonly DatabaseServer[]): Promise<void> => {
  try {
    await Promise.any(servers.map(({ template }) => template.ready()));
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
};
