import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { DatabaseServer, DatabaseServers } from '../ports/databases/database-server.ts';
import type { PlacementOffer } from '../ports/databases/provisioning-ledger.ts';
import { newSpare } from './new-spare.ts';

/**
 * What the servers that answer can give a new organization. A server whose template is known to stand is offered at
 * once. The others are waited for only while there is none: a server that is slow or gone delays nobody who can go elsewhere.
 *
 * @throws {DatabaseConnectionError} when no server answers
 */
export const collectOffers = async (
  servers: DatabaseServers,
  newId: () => string,
  organizationId: OrganizationId,
): Promise<readonly PlacementOffer[]> => {
  const available = servers.list().filter(({ isAvailable }) => isAvailable);
  if (available.length === 0) throw new DatabaseConnectionError('No server of results databases answers.');
  if (available.every(({ template }) => template.current === null)) await anyTemplate(available);
  return available.flatMap((server) => {
    const { current } = server.template;
    if (current === null) return [];
    const databaseName = server.names.forOrganization(organizationId);
    return { databaseName, fresh: newSpare(server, current, newId()) };
  });
};

/** Rejects with the first server's error when no server can build its template. */
const anyTemplate = async (servers: readonly DatabaseServer[]): Promise<void> => {
  try {
    await Promise.any(servers.map(({ template }) => template.ready()));
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
};
