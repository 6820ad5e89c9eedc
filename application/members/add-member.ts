import { OrganizationBusyError } from '../../domain/databases/errors.ts';
import { hasAnyRole } from '../../domain/identity/principal.ts';
import { MemberAlreadyExistsError } from '../../domain/identity/errors.ts';
import type { Member } from '../../domain/identity/member-repository.ts';
import type { OrganizationRole } from '../../domain/identity/role.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { ValidationError } from '../../domain/validation-error.ts';
import { causedBy, type Actor } from '../actor.ts';
import { TokenBuckets } from '../limits/token-buckets.ts';
import type { MetadataRepositories } from '../ports/databases/metadata-database.ts';
import type { Ports } from '../ports/ports.ts';

interface NewMember {
  readonly email: string;
  readonly roles: readonly OrganizationRole[];
}

/**
 * Makes a user a member, by email. What an organization's administrator makes is an invitation: it counts for nothing
 * until the user accepts, and the answer is the same whoever the user is. A platform administrator vouches for the user:
 * that membership counts at once, also in place of an invitation. Decision 0036.
 *
 * An email that is new becomes a user without any credential: a password is the user's in every organization, so no single
 * organization's administrator may choose it. Such a user is in nobody's way who makes the user of that email.
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
    { email, roles }: NewMember,
  ): Promise<Member> => {
    const waitMs = added.take(organizationId, 1, MAX_ADDED);
    if (waitMs > 0)
      throw new OrganizationBusyError(waitMs, 'The organization adds too many members at once.');
    return metadata.transaction(async (repositories) => {
      const { users, members, auditLog } = repositories;
      const counts = hasAnyRole(actor.principal, ['platform_admin']);
      const userId = await userIdOf(repositories, actor, { email, counts });
      await users.lock(userId);
      const member = counts
        ? await members.add(organizationId, userId, roles)
        : await members.invite(organizationId, userId, { email, roles });
      if (member === null) throw new MemberAlreadyExistsError();
      await auditLog.append({
        organizationId,
        action: counts ? 'member.added' : 'member.invited',
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
  { email, counts }: { readonly email: string; readonly counts: boolean },
): Promise<string> => {
  const existing = await users.findByEmail(email);
  if (existing !== null) return existing.userId;
  const created = counts
    ? await users.insert({ email, platformAdmin: false })
    : await users.insertPlaceholder(email);
  if (created === null) {
    // Another request made the user meanwhile. Else the index of the release before takes two emails for one.
    const meanwhile = await users.findByEmail(email);
    if (meanwhile === null) throw new ValidationError([AMBIGUOUS]);
    return meanwhile.userId;
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

const AMBIGUOUS = { path: 'email', message: 'cannot be told apart from another address' };
