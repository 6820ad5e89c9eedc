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
 * once. The others are waited for when there is none, or when `isAwaited` says so: a server that is slow or gone delays
 * nobody who can go elsewhere.
 *
 * @throws {DatabaseConnectionError} when no server answers, or those that do refuse to make databases
 */
export const collectOffers = async (
  { servers, newId }: OfferPorts,
  organizationId: OrganizationId,
  isAwaited: (server: DatabaseServer) => boolean,
): Promise<readonly PlacementOffer[]> => {
  const answering = servers.list().filter(({ isAvailable }) => isAvailable);
  const available = answering.filter(({ refusal }) => refusal === null);
  if (available.length === 0)
    throw answering[0]?.refusal ?? new DatabaseConnectionError('No server of results databases answers.');
  const awaited = available.filter((server) => server.template.current === null && isAwaited(server));
  // One that fails is not offered.
  await Promise.allSettled(awaited.map(({ template }) => template.ready()));
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
