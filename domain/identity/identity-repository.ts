/** A user under the name that another issuer gives them. */
export interface ExternalIdentity {
  readonly identityId: string;
  readonly issuer: string;
  readonly subject: string;
  readonly createdAt: Date;
}

/** Identities that other issuers vouch for. */
export interface IdentityRepository {
  /** In the order they were linked. */
  list(userId: string): Promise<readonly ExternalIdentity[]>;
  /** Null when the identity is linked already, to this user or to another. */
  link(userId: string, identity: { issuer: string; subject: string }): Promise<ExternalIdentity | null>;
  /** Returns what was unlinked; null when the user has no such identity. */
  unlink(userId: string, identityId: string): Promise<ExternalIdentity | null>;
}
