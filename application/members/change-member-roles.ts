import { MemberNotFoundError } from '../../domain/identity/errors.ts';
import type { Member } from '../../domain/identity/member-repository.ts';
import type { OrganizationRole } from '../../domain/identity/role.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';

export class ChangeMemberRoles {
  readonly #metadata: MetadataDatabase;

  constructor(metadata: MetadataDatabase) {
    this.#metadata = metadata;
  }

  /** Gives a member these roles in place of the earlier ones. @throws {MemberNotFoundError} */
  execute(
    actor: Actor,
    organizationId: OrganizationId,
    userId: string,
    roles: readonly OrganizationRole[],
  ): Promise<Member> {
    return this.#metadata.transaction(async ({ members, auditLog }) => {
      const before = await members.findForUpdate(organizationId, userId);
      const after = before && (await members.setRoles(organizationId, userId, roles));
      if (before === null || after === null) throw new MemberNotFoundError();
      await auditLog.append({
        organizationId,
        action: 'member.roles_changed',
        entityType: 'user',
        entityId: userId,
        details: { before: before.roles, after: after.roles },
        ...causedBy(actor),
      });
      return after;
    });
  }
}
