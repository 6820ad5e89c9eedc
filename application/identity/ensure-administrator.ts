import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import type { Passwords } from '../ports/identity/passwords.ts';

export class EnsureAdministrator {
  readonly #metadata: MetadataDatabase;
  readonly #passwords: Passwords;

  constructor(metadata: MetadataDatabase, passwords: Passwords) {
    this.#metadata = metadata;
    this.#passwords = passwords;
  }

  /** Makes a platform administrator unless a user of that email exists, who is left as is. Safe to call concurrently. */
  async execute(email: string, password: string): Promise<void> {
    const existing = await this.#metadata.users.findPasswordIdentity(email);
    if (existing !== null) return;
    const passwordHash = await this.#passwords.hash(password);
    await this.#metadata.transaction(async ({ users, auditLog }) => {
      const { userId, created } = await users.ensureUser({ email, passwordHash, platformAdmin: true });
      if (!created) return;
      await auditLog.append({
        organizationId: null,
        userId: null,
        action: 'user.created',
        entityType: 'user',
        entityId: userId,
        details: { platform_admin: true },
        requestId: null,
      });
    });
  }
}
