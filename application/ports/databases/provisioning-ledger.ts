import type { ServerOffer } from '../../../domain/databases/placement-policy.ts';
import type { PlacementPin, ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { DatabaseRecord, RecordedDatabase } from './database-ledger.ts';

/** Stands in place of a template's hash: an operator gave the database, so it is never cloned and never dropped. */
export const ADOPTED = '';

/** A database that is migrated, stamped by nobody and claimed by at most one organization. */
export interface SpareDatabase {
  /** Becomes the stamp of the organization's database. */
  readonly spareId: string;
  readonly serverId: ServerId;
  readonly databaseName: string;
  /** The hash of the template that it was, or will be, cloned from; or `ADOPTED`. */
  readonly templateHash: string;
  readonly schemaVersion: number;
}

/**
 * How a database came to be an organization's: a spare took its name, a template was cloned, what was left was
 * resumed, or an operator gave an existing one.
 */
export type ProvisioningPath = 'spare' | 'clone' | 'resume' | 'adoption';

/** A recorded intent to provision. Its record always has a stamp. */
export interface Claim {
  readonly record: DatabaseRecord & { readonly stamp: string };
  readonly spare: SpareDatabase;
  /** Whether the spare stood ready when it was claimed just now; otherwise it may have to be built first. */
  readonly ready: boolean;
}

export interface Adoption {
  readonly serverId: ServerId;
  readonly databaseName: string;
  /** The database's present name. */
  readonly from: string;
  /** A new one. */
  readonly stamp: string;
  readonly schemaVersion: number;
}

/** What a server can give a new organization. */
export interface PlacementOffer {
  /** The name of the organization's database there. */
  readonly databaseName: string;
  /** Taken when no spare stands ready on the server. */
  readonly fresh: SpareDatabase;
}

/**
 * Picks the server of one of the offers, by what the ledger knows of all servers. Those without an offer are not available.
 *
 * @throws {NoServerAvailableError}
 */
export type ChoosePlacement = (servers: readonly ServerOffer[], pin: PlacementPin) => ServerId;

/**
 * What provisioning records, before and after it acts. Every method commits on its own. Who acts has read the record
 * before, and the locks of two servers are two: so a method that changes a record names the database that it is about, and
 * changes nothing when the organization has been given another one since.
 */
export interface ProvisioningLedger {
  /**
   * Writes the intent to give the organization a database on one of the offered servers, and binds a spare there to it: a
   * ready one of the offered template when there is one (never the same to two organizations), else `fresh`, which is yet
   * to be built. The choice is made under a lock on the servers' records, so that no limit is overshot. An earlier claim is
   * returned as it is, and the caller resumes it. When the server of an earlier claim is not offered, or the organization
   * is pinned elsewhere by now, and the database is not one that an operator gave, another server is chosen. Nothing is claimed when there is nothing to make: the record
   * then says how the database is.
   *
   * @throws {OrganizationNotFoundError}
   * @throws what `choose` throws; then nothing is written
   */
  claim(
    organizationId: OrganizationId,
    offers: readonly PlacementOffer[],
    choose: ChoosePlacement,
  ): Promise<Claim | { readonly record: DatabaseRecord; readonly spare: null }>;
  /** Records that a claimed spare is about to be cloned from another template than was planned. */
  rebase(spare: SpareDatabase): Promise<void>;
  /**
   * Marks the organization's database ready, forgets the spare it was made of, and audits which path it took. Null, and
   * nothing is changed, when the claim is completed already or given up.
   */
  complete(
    organizationId: OrganizationId,
    spare: SpareDatabase,
    path: ProvisioningPath,
  ): Promise<DatabaseRecord | null>;
  /**
   * Keeps the reason of a failure; a claim stays, and the next attempt resumes it.
   *
   * @param database its stamp is null when the attempt failed before the claim
   */
  fail(
    database: Pick<DatabaseRecord, 'organizationId' | 'databaseName' | 'stamp'>,
    reason: string,
  ): Promise<void>;
  /** Keeps what is wrong with a database that was ready, or clears it with null. Changes no state. */
  noteError(database: RecordedDatabase, reason: string | null): Promise<void>;
  /** Takes the database out of service, before it is put aside. False: the organization has another one, or no record. */
  beginRetirement(database: RecordedDatabase): Promise<boolean>;
  /**
   * Forgets the database that was put aside, and what was claimed for it: the next access makes a new one, of the next
   * generation. Audits the name it was put aside under; null: there was none.
   */
  completeRetirement(database: RecordedDatabase, renamedTo: string | null): Promise<void>;
  /**
   * Records an existing database as the organization's, of the next generation if it had one. It is a claim like any
   * other: it is not ready until `complete`, and the next caller resumes it. A repeated adoption finds its earlier claim.
   * Nothing is recorded when the organization has a database on another server, as its data would be lost to it: the
   * record then says which.
   *
   * @throws {OrganizationNotFoundError}
   * @throws {DatabaseProvisioningError} when another organization is being given the same database
   */
  recordAdoption(
    organizationId: OrganizationId,
    adopted: Adoption,
  ): Promise<Claim | { readonly record: DatabaseRecord; readonly spare: null }>;
}
