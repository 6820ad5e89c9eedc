import type { Membership } from './user-repository.ts';

/** All that decides whether a user's tokens still count. */
export interface Account {
  readonly userId: string;
  readonly active: boolean;
  readonly platformAdmin: boolean;
  readonly memberships: readonly Membership[];
  /** Sessions that were ended while access tokens of theirs may still be about. */
  readonly revokedSessions: ReadonlySet<string>;
}

/** Looks accounts up where they are kept. */
export interface AccountRepository {
  /** Null also for subjects that other issuers made up, of whatever form. */
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
