import type { Ports } from '../ports/ports.ts';

/**
 * Makes a platform administrator, unless a user of that email exists: that one is left as is. Safe to call concurrently.
 *
 * @returns whether it made one
 */
export const ensureAdministrator =
  ({ metadata, passwords }: Pick<Ports, 'metadata' | 'passwords'>) =>
  async (email: string, password: string): Promise<boolean> => {
    const existing = await metadata.users.findPasswordIdentity(email);
    if (existing !== null) return false;
    const passwordHash = await passwords.hash(password);
    return metadata.transaction(async ({ users, auditLog }) => {
      const { userId, created } = await users.ensureUser({ email, passwordHash, platformAdmin: true });
      if (!created) return false;
      await auditLog.append({
        organizationId: null,
        userId: null,
        action: 'user.created',
        entityType: 'user',
        entityId: userId,
        details: { platform_admin: true },
        requestId: null,
      });
      return true;
    });
  };
