import type { OrganizationId } from '../organizations/organization-id.ts';
import type { Page, PageRequest } from '../page.ts';
import type { OrganizationRole } from './role.ts';

/**
 * An account for programs, which log in with a key. An organization's belongs to that one alone. A fleet is the platform's;
 * it works for each organization that has admitted it. Decision 0048.
 */
export interface ServiceAccount {
  readonly accountId: string;
  readonly name: string;
  readonly isFleet: boolean;
  /** Within the organization that asks; of a fleet always `worker`. */
  readonly roles: readonly OrganizationRole[];
  readonly createdAt: Date;
}

/** A key, without what opens anything. */
export interface ServiceAccountKey {
  readonly keyId: string;
  readonly createdAt: Date;
  /** To within some minutes. */
  readonly lastUsedAt: Date | null;
}

/** What a key that was presented opens. */
export interface KeyGrant {
  readonly accountId: string;
  readonly keyId: string;
  /** Null for a fleet. */
  readonly organizationId: OrganizationId | null;
  readonly roles: readonly OrganizationRole[];
}

/** Whose accounts: an organization's, or (null) the platform's fleets. */
export type AccountOwner = OrganizationId | null;

/** The only roles that a fleet has anywhere. */
export const FLEET_ROLES = ['worker'] as const satisfies readonly OrganizationRole[];

/** Service accounts and their keys, which are known by their hashes alone. */
export interface ServiceAccountRepository {
  /** A fleet's roles are `FLEET_ROLES`. @throws {OrganizationNotFoundError} */
  insert(
    owner: AccountOwner,
    account: { readonly name: string; readonly roles: readonly OrganizationRole[] },
  ): Promise<ServiceAccount>;
  /** Of an organization: its own, and the fleets that it admitted. In the order of their ids. */
  list(owner: AccountOwner, page: PageRequest<string>): Promise<Page<ServiceAccount, string>>;
  /** One of those that `list` lists. */
  find(owner: AccountOwner, accountId: string): Promise<ServiceAccount | null>;
  /** As `find`, without fleets that an organization admitted. Locks the account until the transaction ends. */
  lockOwned(owner: AccountOwner, accountId: string): Promise<ServiceAccount | null>;
  /** Deletes an account with its keys and memberships. */
  remove(accountId: string): Promise<void>;
  /**
   * Makes a fleet one of the organization's workers. False when it is already.
   *
   * @returns null when there is no such fleet
   * @throws {OrganizationNotFoundError}
   */
  admit(organizationId: OrganizationId, accountId: string): Promise<boolean | null>;
  /** Undoes `admit`. False when the organization has not admitted such a fleet. */
  dismiss(organizationId: OrganizationId, accountId: string): Promise<boolean>;
  /** Also forgets keys that were revoked long ago. */
  addKey(accountId: string, keyHash: Uint8Array): Promise<ServiceAccountKey>;
  /** Those that open something, in the order in which they were made. */
  listKeys(accountId: string): Promise<readonly ServiceAccountKey[]>;
  /** False when the account has no such key. */
  revokeKey(accountId: string, keyId: string): Promise<boolean>;
  /** What a key opens, and notes that it was used; null for one that opens nothing. */
  useKey(keyHash: Uint8Array): Promise<KeyGrant | null>;
}
