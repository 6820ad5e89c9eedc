import { isIdentity, readMark, type DatabaseMark } from '../../domain/databases/database-identity.ts';
import { DatabaseProvisioningError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { DatabaseRecord } from '../ports/databases/database-ledger.ts';

export const refusal = (database: string, why: string): DatabaseProvisioningError =>
  new DatabaseProvisioningError(`The database "${database}" ${why}.`);

/** @throws {DatabaseProvisioningError} when the database says that it is another organization's */
export const assertNotOfAnotherOrganization = (
  mark: DatabaseMark | null,
  organizationId: OrganizationId,
  database: string,
): void => {
  const owner = mark?.organizationId ?? organizationId;
  if (owner !== organizationId) throw refusal(database, `is the database of the organization "${owner}"`);
};

/**
 * What earlier releases stamped does not name its deployment: it may be taken, but is put aside only when it is the
 * recorded one.
 *
 * @param toPutAside null: the database is to be taken
 * @throws {DatabaseProvisioningError} when the database is another deployment's
 */
export const assertNotOfAnotherDeployment = (
  database: string,
  comment: string | null | undefined,
  deploymentId: string,
  toPutAside: DatabaseRecord | null,
): void => {
  const mark = readMark(comment);
  if (mark === null || mark.deploymentId === deploymentId) return;
  if (mark.deploymentId === null) {
    const stamp = toPutAside?.stamp ?? null;
    if (toPutAside === null || stamp === null) return;
    if (isIdentity(comment, { ...toPutAside, stamp, deploymentId })) return;
  }
  throw refusal(database, `belongs to another deployment of this service: it is marked "${comment}"`);
};
