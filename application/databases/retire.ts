import {
  OrganizationDatabaseNotFoundError,
  OrganizationNotReadyError,
} from '../../domain/databases/errors.ts';
import { readMark } from '../../domain/databases/database-identity.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { DatabaseLedger, DatabaseRecord } from '../ports/databases/database-ledger.ts';
import type { DatabaseServer, DatabaseServers } from '../ports/databases/database-server.ts';
import type { Deployment } from '../ports/databases/deployment.ts';
import type { ProvisioningLedger } from '../ports/databases/provisioning-ledger.ts';
import type { ServerSession } from '../ports/databases/server-session.ts';
import type { Fingerprint } from '../ports/runtime/fingerprint.ts';
import { assertNotOfAnotherDeployment, assertNotOfAnotherOrganization } from './ownership.ts';

export interface RetirePorts {
  readonly ledger: DatabaseLedger & ProvisioningLedger;
  readonly servers: DatabaseServers;
  readonly deployment: Deployment;
  readonly fingerprint: Fingerprint;
}

export type RetireDatabase = ReturnType<typeof retireDatabase>;

/**
 * Puts the organization's database aside, with its data, under a name that nothing serves. The next access makes an
 * empty one of the next generation. Returns the name it was put aside under; null when it was gone already. What an
 * attempt leaves undone is finished by the next one, or by a reconciliation.
 *
 * @param approve called with the record before anything is done, while nobody else works on the database. What it throws keeps it
 * @throws {OrganizationDatabaseNotFoundError}
 * @throws {OrganizationNotReadyError} when the organization is given another database at the same time
 * @throws {DatabaseProvisioningError} when the database of that name is another organization's or deployment's
 */
export const retireDatabase =
  (ports: RetirePorts) =>
  async (
    organizationId: OrganizationId,
    approve: (record: DatabaseRecord) => Promise<void> = () => Promise.resolve(),
  ): Promise<string | null> =>
    underLock(ports, await recordOf(ports, organizationId), async (act) => {
      const record = await recordOf(ports, organizationId);
      await approve(record);
      return putAside(ports, act, record);
    });

export type FinishRetirement = ReturnType<typeof finishRetirement>;

/** Ends a retirement that an attempt left half way; returns whether there was one. @throws as `retireDatabase` does */
export const finishRetirement =
  (ports: RetirePorts) =>
  async (organizationId: OrganizationId): Promise<boolean> => {
    const known = await ports.ledger.find(organizationId);
    if (known?.state !== 'retiring') return false;
    return underLock(ports, known, async (act) => {
      // The record may have moved on before the lock was had.
      const record = await ports.ledger.find(organizationId);
      if (record?.state !== 'retiring') return false;
      await putAside(ports, act, record);
      return true;
    });
  };

interface Act {
  readonly server: DatabaseServer;
  readonly session: ServerSession;
  /** The name that was locked. */
  readonly databaseName: string;
}

const recordOf = async ({ ledger }: RetirePorts, organizationId: OrganizationId): Promise<DatabaseRecord> => {
  const record = await ledger.find(organizationId);
  if (record === null) throw new OrganizationDatabaseNotFoundError();
  return record;
};

const underLock = <Result>(
  { servers }: RetirePorts,
  record: DatabaseRecord,
  work: (act: Act) => Promise<Result>,
): Promise<Result> => {
  const server = servers.of(record.serverId);
  const databaseName = server.names.ofRecord(record.organizationId, record);
  return server.exclusively(databaseName, (session) => work({ server, session, databaseName }));
};

const givenAnother = (): OrganizationNotReadyError =>
  new OrganizationNotReadyError('The organization was given another database meanwhile.');

const putAside = async (
  { ledger, deployment, fingerprint }: RetirePorts,
  { server, session, databaseName }: Act,
  record: DatabaseRecord,
): Promise<string | null> => {
  const { organizationId, stamp, generation } = record;
  // The lock was taken for the record as it was. The organization may have been given a database on another server since.
  if (record.serverId !== server.serverId || server.names.ofRecord(organizationId, record) !== databaseName)
    throw givenAnother();
  const comment = await session.identityOf(databaseName);
  assertNotOfAnotherOrganization(readMark(comment), organizationId, databaseName);
  assertNotOfAnotherDeployment(databaseName, comment, await deployment.id(), record);
  // The same name at each attempt: the next one finds what was put aside already.
  const aside = server.names.quarantine('retired', stamp ?? fingerprint({ organizationId, generation }));
  if (!(await ledger.beginRetirement(record))) throw givenAnother();
  if (comment !== undefined) await session.quarantine(databaseName, aside);
  const renamedTo = (await session.exists(aside)) ? aside : null;
  await ledger.completeRetirement(record, renamedTo);
  return renamedTo;
};
