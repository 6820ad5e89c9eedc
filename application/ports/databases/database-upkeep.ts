import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/**
 * - `missing`: on the books as ready, not on the server. Never made again empty: an operator restores or retires it.
 * - `half-made`: a provisioning that was begun and nobody finished.
 * - `half-retired`: a retirement that was begun and nobody finished.
 * - `orphan`: made by this deployment, and on no book: the metadata lost it.
 * - `foreign`: under an organization's name, and not made by this deployment, as far as it says.
 * - `stale-spare`: a spare or template, finished or not, on no book. Holds nobody's data; dropped only where it says that it is ours.
 * - `locked-out`: as recorded, but its organization's role cannot use it: roles were switched on after it was made.
 * - `old-stamp`: as recorded, but stamped by a release that did not write the deployment down.
 */
type FindingKind =
  | 'missing'
  | 'half-made'
  | 'half-retired'
  | 'orphan'
  | 'foreign'
  | 'stale-spare'
  | 'locked-out'
  | 'old-stamp';

/** What server and ledger do not agree on. */
export interface Finding {
  readonly kind: FindingKind;
  readonly database: string;
  readonly organizationId: OrganizationId | null;
  /** What was done about it; in a dry run, what would be. */
  readonly action: 'reported' | 'resumed' | 'quarantined' | 'dropped' | 'admitted' | 'stamped' | 'failed';
}

/** A database that was made an organization's. */
export interface AdoptedDatabase {
  readonly databaseName: string;
  /** The organization that the database said it was of before; null when it did not say. */
  readonly formerly: string | null;
}

/** What became of the passwords of the organizations' roles. */
export interface RotationReport {
  /** Roles that have their password from the first secret now. */
  readonly rotated: number;
  readonly failures: readonly { readonly database: string; readonly reason: string }[];
}
