import type { PlacementPin, ResultsServerRecord, ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { DatabaseRecord } from './database-ledger.ts';

/** In place of a template's hash: the database was not made here, but given by an operator. Never cloned, never dropped. */
export const ADOPTED = '';

/** A database that is migrated, stamped by nobody and claimed by at most one organization. */
export interface SpareDatabase {
  /** Becomes the stamp of the organization's database. */
  readonly spareId: string;
  readonly serverId: ServerId;
  readonly databaseName: string;
  /** Of what it was, or is to be, cloned from; or `ADOPTED`. */
  readonly templateHash: string;
  readonly schemaVersion: number;
}

/**
 * How a database came to be an organization's: a spare took its name, a template was cloned, what was left was
 * resumed, or an operator gave an existing one.
 */
export type ProvisioningPath = 'spare' | 'clone' | 'resume' | 'adoption';

/** An intent to provision: its record always has a stamp. */
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
 * Picks the server of one of the offers, by what the ledger knows of them.
 *
 * @throws {NoServerAvailableError}
 */
export type ChoosePlacement = (offered: readonly ResultsServerRecord[], pin: PlacementPin) => ServerId;

/** What provisioning writes down, before and after it acts. Every method commits on its own. */
export interface ProvisioningLedger {
  /**
   * Writes the intent to give the organization a database on one of the offered servers, and binds a spare there to it: a
   * ready one of the offered template when there is one (never the same to two organizations), else `fresh`, which is yet
   * to be built. The choice is made under a lock on the servers' records, so that no limit is overshot. A claim made
   * earlier is returned as it is, so that the caller resumes it; unless its server is not offered and holds nothing that
   * anybody was served: then another is chosen. Nothing is claimed where there is nothing to make: the record then says
   * how it is.
   *
   * @throws {OrganizationNotFoundError}
   * @throws what `choose` throws; then nothing is written
   */
  claim(
    organizationId: OrganizationId,
    offers: readonly PlacementOffer[],
    choose: ChoosePlacement,
  ): Promise<Claim | { readonly record: DatabaseRecord; readonly spare: null }>;
  /** Writes down that a claimed spare is about to be cloned from another template than was planned. */
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
  /** Keeps the reason of a failure; a claim stays, and the next attempt resumes it. */
  fail(organizationId: OrganizationId, databaseName: string, reason: string): Promise<void>;
  /** Keeps what is wrong with a database that was ready, or clears it with null. Changes no state. */
  noteError(organizationId: OrganizationId, reason: string | null): Promise<void>;
  /** Takes the organization's database out of service, before it is put aside. */
  beginRetirement(organizationId: OrganizationId): Promise<void>;
  /**
   * Forgets the database that was put aside, and what was claimed for it: the next access makes a new one, of the next
   * generation. Audits the name it was put aside under; null: there was none.
   */
  completeRetirement(organizationId: OrganizationId, renamedTo: string | null): Promise<void>;
  /**
   * Records an existing database as the organization's, of the next generation if it had one. It is a claim as any
   * other: not ready until `complete`, and whoever comes next resumes it. The same adoption begun before is found again.
   *
   * @throws {OrganizationNotFoundError}
   * @throws {DatabaseProvisioningError} when another organization is being given the same database
   */
  recordAdoption(organizationId: OrganizationId, adopted: Adoption): Promise<Claim>;
}
