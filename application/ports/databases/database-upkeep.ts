import type { ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/**
 * - `missing`: ready by the ledger, not on the server. Never made again empty: an operator restores or retires it.
 * - `half-made`: a provisioning that was begun and nobody finished.
 * - `half-retired`: a retirement that was begun and nobody finished.
 * - `orphan`: made by this deployment, and unknown to the ledger: the metadata lost it.
 * - `foreign`: under an organization's name, and not made by this deployment, as far as it says.
 * - `stale-spare`: a spare or template, finished or not, that the ledger does not know. Holds nobody's data; dropped only where it says that it is ours.
 * - `locked-out`: as recorded, but its organization's role cannot use it: roles were switched on after it was made.
 * - `old-stamp`: as recorded, but stamped by a release that did not write the deployment down.
 */
export const FINDING_KINDS = [
  'missing',
  'half-made',
  'half-retired',
  'orphan',
  'foreign',
  'stale-spare',
  'locked-out',
  'old-stamp',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** What server and ledger do not agree on. */
export interface Finding {
  readonly kind: FindingKind;
  readonly serverId: ServerId;
  readonly database: string;
  readonly organizationId: OrganizationId | null;
  /** What was done about it; in a dry run, what would be. */
  readonly action: 'reported' | 'resumed' | 'quarantined' | 'dropped' | 'admitted' | 'stamped' | 'failed';
}

/** What a reconciliation of all servers came to. */
export interface ReconcileReport {
  readonly findings: readonly Finding[];
  /** Servers that could not be looked at. */
  readonly unreachable: readonly { readonly serverId: ServerId; readonly reason: string }[];
}

/** A database that was made an organization's. */
export interface AdoptedDatabase {
  readonly databaseName: string;
  /** Whose the database said that it was: nobody's, the same organization's, or one's of that id in another deployment. */
  readonly formerly: 'nobody' | 'its own' | 'another deployment';
}

/** What became of the passwords of the organizations' roles. */
export interface RotationReport {
  /** Roles that have their password from the first secret now. */
  readonly rotated: number;
  readonly failures: readonly { readonly database: string; readonly reason: string }[];
}
