import type { MetadataRepositories } from '../ports/databases/metadata-database.ts';

/** Who does it, for the audit trail. */
export interface PasswordAuthor {
  readonly userId: string;
  readonly requestId: string;
  readonly address: string | null;
}

/**
 * Gives a user another password and ends all sessions: whoever came in with the old one is out. The caller has locked the
 * user, so a login that is under way waits, and then finds another password.
 */
export const replacePassword = async (
  { users, sessions, auditLog }: MetadataRepositories,
  author: PasswordAuthor,
  userId: string,
  password: { hash: string; mustChange: boolean },
): Promise<void> => {
  await users.setPassword(userId, password);
  await sessions.revokeAll(userId);
  await auditLog.append({
    organizationId: null,
    action: author.userId === userId ? 'user.password_changed' : 'user.password_set',
    entityType: 'user',
    entityId: userId,
    details: { must_change: password.mustChange },
    ...author,
  });
};
