import type { OrganizationId } from '../organizations/organization-id.ts';
import type { OrganizationRole } from './role.ts';

/** What a login is checked against. */
export interface PasswordIdentity {
  readonly userId: string;
  /** PHC string, argon2id. */
  readonly passwordHash: string;
  readonly active: boolean;
  readonly platformAdmin: boolean;
}

/** What an organization lets one user do. */
export interface Membership {
  readonly organizationId: OrganizationId;
  readonly roles: readonly OrganizationRole[];
}

/** Users, their identities and memberships in the metadata database. Emails are compared without case. */
export interface UserRepository {
  findPasswordIdentity(email: string): Promise<PasswordIdentity | null>;
  /** Memberships of one user, in the order they were made. */
  listMemberships(userId: string): Promise<readonly Membership[]>;
  /** Makes a user with a password; leaves an existing user of that email as it is. Returns its id, and whether it is new. */
  ensureUser(user: {
    email: string;
    passwordHash: string;
    platformAdmin: boolean;
  }): Promise<{ userId: string; created: boolean }>;
  /** Gives a user these roles in an organization, in place of earlier ones. */
  setMembership(userId: string, membership: Membership): Promise<void>;
}
