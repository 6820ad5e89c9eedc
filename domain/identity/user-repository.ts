import type { OrganizationId } from '../organizations/organization-id.ts';
import type { Page, PageRequest } from '../page.ts';
import type { OrganizationRole } from './role.ts';

/** What a login is checked against. */
export interface PasswordIdentity {
  readonly userId: string;
  /** PHC string, argon2id. */
  readonly passwordHash: string;
}

/** What an organization lets one user do. */
export interface Membership {
  readonly organizationId: OrganizationId;
  readonly roles: readonly OrganizationRole[];
}

export interface User {
  readonly userId: string;
  readonly email: string;
  readonly active: boolean;
  readonly platformAdmin: boolean;
  readonly hasPassword: boolean;
  readonly mustChangePassword: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What an administrator may decide about a user; what is left out stays. */
export interface UserChange {
  readonly active?: boolean | undefined;
  readonly platformAdmin?: boolean | undefined;
  readonly mustChangePassword?: boolean | undefined;
}

/** Users, their passwords and memberships in the metadata database. Emails are told apart by `canonicalEmail`. */
export interface UserRepository {
  findPasswordIdentity(email: string): Promise<PasswordIdentity | null>;
  /**
   * Locks a user until the transaction ends, and reads what is true from then on. Whatever changes a user's account, password
   * or memberships does so first, so it decides by what it changes. Null when there is no such user.
   */
  lock(userId: string): Promise<User | null>;
  /** Reads the hash of a user's password, and locks it until the transaction ends; null when there is none. */
  lockPasswordHash(userId: string): Promise<string | null>;
  /** Memberships of one user, in the order they were made. */
  listMemberships(userId: string): Promise<readonly Membership[]>;
  /**
   * Makes a user with a password; leaves an existing user of that email as it is.
   *
   * @returns the user's id, and whether the user is new
   */
  ensureUser(user: {
    email: string;
    passwordHash: string;
    platformAdmin: boolean;
  }): Promise<{ userId: string; created: boolean }>;
  /**
   * Makes a user without any credential. Null when the email is taken. A placeholder does not take it: it becomes that user.
   */
  insert(user: { email: string; platformAdmin: boolean }): Promise<User | null>;
  /** Makes a user that only an invitation knows so far. Null when the email is taken, also by another placeholder. */
  insertPlaceholder(email: string): Promise<User | null>;
  /** Null also when `userId` is no UUID: subjects of other issuers need not be. */
  find(userId: string): Promise<User | null>;
  findByEmail(email: string): Promise<User | null>;
  /** In the order of their ids; with an email at most the one it belongs to. @param filter.prefix what the email begins with, in any case */
  list(
    filter: { readonly email: string | null; readonly prefix?: string | null },
    page: PageRequest<string>,
  ): Promise<Page<User, string>>;
  /** Whether an active platform administrator exists. */
  hasPlatformAdministrator(): Promise<boolean>;
  /** Null when there is no such user. */
  change(userId: string, change: UserChange): Promise<User | null>;
  /** Gives a user a password, in place of an earlier one. */
  setPassword(userId: string, password: { hash: string; mustChange: boolean }): Promise<void>;
}
