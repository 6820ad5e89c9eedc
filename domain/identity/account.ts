import type { Membership } from './user-repository.ts';

/** What decides whether a user's tokens are still valid. */
export interface Account {
  readonly userId: string;
  readonly active: boolean;
  readonly platformAdmin: boolean;
  readonly memberships: readonly Membership[];
  /** Whether any organization has invited the user, and has no answer yet. */
  readonly invited: boolean;
  /** Whether it is a service account of the platform. */
  readonly isFleet: boolean;
  /** Sessions that have ended and keys that were revoked, whose access tokens may not have expired yet. */
  readonly revokedSessions: ReadonlySet<string>;
}

/** Accounts in the metadata database. */
export interface AccountRepository {
  /** Null also when `userId` is no UUID: subjects of other issuers need not be. */
  find(userId: string): Promise<Account | null>;
  /** The account that an identity of another issuer is linked to. */
  findUserId(issuer: string, subject: string): Promise<string | null>;
}

/** The membership that a caller acts under: the one named, or the only one. */
export const chooseMembership = (
  memberships: readonly Membership[],
  organizationId: string | null,
): Membership | null => {
  if (organizationId !== null) {
    return memberships.find((membership) => membership.organizationId === organizationId) ?? null;
  }
  return memberships.length === 1 ? (memberships[0] ?? null) : null;
};
