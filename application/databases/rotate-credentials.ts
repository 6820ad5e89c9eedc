import { holdsResults } from '../../domain/databases/results-database.ts';
import { allOf } from '../../domain/page.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { type DatabaseLedger, type DatabaseRecord } from '../ports/databases/database-ledger.ts';
import type { DatabaseServers } from '../ports/databases/database-server.ts';
import type { RotationReport } from '../ports/databases/database-upkeep.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import type { SpareLedger } from '../ports/databases/spare-ledger.ts';

export interface RotationPorts {
  readonly ledger: DatabaseLedger;
  readonly spares: SpareLedger;
  readonly servers: DatabaseServers;
  readonly metadata: MetadataDatabase;
}

export type RotateCredentials = ReturnType<typeof rotateCredentials>;

/**
 * Gives the roles of all organizations, and of the spares, their passwords from the first secret. Sessions that are open
 * stay. Safe to repeat, also after a crash. A database that fails, or whose server is away, does not stop the others.
 *
 * Rejects when organizations have no roles, or the ledger cannot be read.
 */
export const rotateCredentials = (ports: RotationPorts) => async (): Promise<RotationReport> => {
  const { ledger, spares, servers } = ports;
  if (!servers.list().some(({ hasRoles }) => hasRoles))
    throw new Error('Organizations have no roles of their own (DB_ORG_ROLES is off): nothing to rotate.');
  let rotated = 0;
  const failures: { readonly database: string; readonly reason: string }[] = [];
  const attempt = async (database: string, rotate: () => Promise<boolean>): Promise<void> => {
    try {
      if (await rotate()) rotated += 1;
    } catch (error) {
      failures.push({ database, reason: reasonOf(error) });
    }
  };
  // Spares first: one that an organization takes meanwhile is in the list of the organizations.
  for (const { spareId, serverId } of await spares.list()) {
    await attempt(`spare ${spareId}`, () =>
      // A spare that is being built gets its role, and the password with it, later.
      servers.of(serverId).exclusively(`role ${spareId}`, (session) => session.setPassword(spareId)),
    );
  }
  for await (const record of allOf((page) => ledger.list({ state: null }, page))) {
    await attempt(record.databaseName, () => rotateOrganization(ports, record));
  }
  return { rotated, failures };
};

const rotateOrganization = (
  { ledger, servers, metadata }: RotationPorts,
  { organizationId, serverId, databaseName }: DatabaseRecord,
): Promise<boolean> =>
  servers.of(serverId).exclusively(databaseName, async (session) => {
    // The list may be older than the lock.
    const record = await ledger.find(organizationId);
    if (record === null || record.stamp === null) return false;
    if (!(await session.setPassword(record.stamp))) {
      if (holdsResults(record.state)) throw new Error('its role does not exist');
      return false;
    }
    await metadata.auditLog.append({
      organizationId,
      userId: null,
      action: 'database.credentials_rotated',
      entityType: 'database',
      entityId: databaseName,
      details: {},
      requestId: null,
    });
    return true;
  });
