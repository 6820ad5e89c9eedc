import type { Placement } from '../../../domain/databases/placement.ts';
import type { Span } from '../runtime/tracing.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** A database that is about to take its name. */
export interface Making {
  /** Resolves when the database has its name: a login finds it. Rejects when it did not come there. */
  readonly named: Promise<void>;
  /** Resolves when the ledger knows the database as ready. Nobody may be served before. */
  readonly ready: Promise<Placement>;
}

export interface Claimed {
  /** Where the database is, or will be. */
  readonly placement: Placement;
  /** Makes the database; resolves when it is about to take its name. Null: somebody else has made it. */
  readonly make: (() => Promise<Making>) | null;
}

/** Where the organization's database is; or how to claim one on a server, as it is not made yet. */
export type Found =
  | { readonly placement: Placement }
  | {
      /**
       * @param span under which the steps are recorded, those of the making as well; null: they are not
       * @throws {NoServerAvailableError} when no server may take it
       * @throws {OrganizationNotReadyError} outside of the schema window
       * @throws {DatabaseProvisioningError}
       */
      readonly claim: (span?: Span | null) => Promise<Claimed>;
    };

/**
 * Gives organizations their databases. Each step is written down before it is done, and can be repeated: the next
 * request, in any process, finishes what a process that died left.
 *
 * intent in the ledger → database under a private name → stamp and final name in one transaction → `ready` in the ledger.
 * A database under an organization's name is therefore always whole, and ours only if it carries the stamp. Decision 0002.
 */
export interface Provisioning {
  /**
   * Looks for the organization's database in the ledger. Writes nothing.
   *
   * @throws {OrganizationNotFoundError}
   * @throws {OrganizationSuspendedError}
   * @throws {OrganizationDatabaseNotFoundError} when there is none and `create` is false
   * @throws {OrganizationNotReadyError} while an operator puts the database aside, and outside of the schema window
   */
  readonly find: (organizationId: OrganizationId, options: { readonly create: boolean }) => Promise<Found>;
  /** As `find`, and claims and makes what is not there. */
  readonly provision: (organizationId: OrganizationId) => Promise<Placement>;
  /**
   * As `provision`, and looks on the server for what the ledger calls ready: for operators, who ask when something is
   * wrong. Keeps what it finds in the ledger. Never makes again what is missing.
   *
   * @throws {DatabaseConnectionError} when the database is missing, is another one, or lacks its role
   */
  readonly confirm: (organizationId: OrganizationId) => Promise<Placement>;
}
