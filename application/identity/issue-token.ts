import { UnauthenticatedError } from '../../domain/exceptions.ts';
import type { Membership } from '../../domain/identity/user-repository.ts';
import type { Role } from '../../domain/identity/role.ts';
import type { MetadataDatabase } from '../ports/metadata-database.ts';
import type { Passwords } from '../ports/passwords.ts';
import type { IssuedToken, TokenIssuer } from '../ports/tokens.ts';

export interface Credentials {
  readonly email: string;
  readonly password: string;
  /** Null: as platform administrator, or for the only organization that the user belongs to. */
  readonly organizationId: string | null;
}

export class IssueToken {
  readonly #metadata: MetadataDatabase;
  readonly #passwords: Passwords;
  readonly #tokens: TokenIssuer;

  constructor(metadata: MetadataDatabase, passwords: Passwords, tokens: TokenIssuer) {
    this.#metadata = metadata;
    this.#passwords = passwords;
    this.#tokens = tokens;
  }

  /** @throws {UnauthenticatedError} the same, after the same work, for every cause */
  async execute(credentials: Credentials): Promise<IssuedToken> {
    const identity = await this.#metadata.users.findPasswordIdentity(credentials.email);
    const matches = await this.#passwords.verify(credentials.password, identity?.passwordHash ?? null);
    if (identity === null || !matches || !identity.active) throw new UnauthenticatedError(REFUSAL);

    const { userId } = identity;
    if (identity.platformAdmin && credentials.organizationId === null) {
      return this.#tokens.issue({ userId, organizationId: null, roles: new Set<Role>(['platform_admin']) });
    }
    const memberships = await this.#metadata.users.listMemberships(userId);
    const membership = choose(memberships, credentials.organizationId);
    if (membership === null) throw new UnauthenticatedError(REFUSAL);
    return this.#tokens.issue({
      userId,
      organizationId: membership.organizationId,
      roles: new Set<Role>(membership.roles),
    });
  }
}

const REFUSAL = 'Email, password or organization is wrong.';

const choose = (memberships: readonly Membership[], organizationId: string | null): Membership | null => {
  if (organizationId !== null) {
    return memberships.find((membership) => membership.organizationId === organizationId) ?? null;
  }
  return memberships.length === 1 ? (memberships[0] ?? null) : null;
};
