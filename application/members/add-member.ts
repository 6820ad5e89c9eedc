import { OrganizationBusyError } from '../../domain/databases/errors.ts';
import { MemberAlreadyExistsError } from '../../domain/identity/errors.ts';
import type { Member } from '../../domain/identity/member-repository.ts';
import type { OrganizationRole } from '../../domain/identity/role.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import { TokenBuckets } from '../limits/token-buckets.ts';
import type { MetadataRepositories } from '../ports/databases/metadata-database.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Makes a user a member, by email. An email that is new becomes a user without any credential: a password is the
 * user's in every organization, so no single organization's administrator may choose it.
 *
 * @throws {OrganizationNotFoundError}
 * @throws {MemberAlreadyExistsError}
 * @throws {OrganizationBusyError} when the organization adds too many
 */
export const addMember = ({ metadata }: Pick<Ports, 'metadata'>) => {
  const added = new TokenBuckets();
  return async (
    actor: Actor,
    organizationId: OrganizationId,
    { email, roles }: { email: string; roles: readonly OrganizationRole[] },
  ): Promise<Member> => {
    const waitMs = added.take(organizationId, 1, MAX_ADDED);
    if (waitMs > 0)
      throw new OrganizationBusyError(waitMs, 'The organization adds too many members at once.');
    return metadata.transaction(async (repositories) => {
      const { members, auditLog } = repositories;
      const userId = await userIdOf(repositories, actor, email);
      const member = await members.add(organizationId, userId, roles);
      if (member === null) throw new MemberAlreadyExistsError();
      await auditLog.append({
        organizationId,
        action: 'member.added',
        entityType: 'user',
        entityId: userId,
        details: { email: member.email, roles: member.roles },
        ...causedBy(actor),
      });
      return member;
    });
  };
};

/** Each may make a user, who stays when the membership ends. Decision 0035. */
const MAX_ADDED = { perSecond: 1 / 60, burst: 1000 } as const;

const userIdOf = async (
  { users, auditLog }: MetadataRepositories,
  actor: Actor,
  email: string,
): Promise<string> => {
  const created = await users.insert({ email, platformAdmin: false });
  if (created === null) {
    const existing = await users.findByEmail(email);
    if (existing === null) throw new Error('a user that blocks an insert cannot be found');
    return existing.userId;
  }
  await auditLog.append({
    organizationId: null,
    action: 'user.created',
    entityType: 'user',
    entityId: created.userId,
    details: { email, platform_admin: false, password: false },
    ...causedBy(actor),
  });
  return created.userId;
};
