import type { OrganizationId } from '../organizations/organization-id.ts';
import type { Page, PageRequest } from '../page.ts';
import type { OrganizationRole } from './role.ts';

/** A user as one organization sees it. */
export interface Member {
  readonly userId: string;
  readonly email: string;
  readonly active: boolean;
  readonly roles: readonly OrganizationRole[];
  /** When the membership was made. When the user was would tell of other organizations. */
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The members of organizations. */
export interface MemberRepository {
  /** In the order of the user ids. */
  list(organizationId: OrganizationId, page: PageRequest<string>): Promise<Page<Member, string>>;
  /** Reads a member, and locks the membership until the transaction ends. */
  findForUpdate(organizationId: OrganizationId, userId: string): Promise<Member | null>;
  /** Null when the user is a member already. @throws {OrganizationNotFoundError} */
  add(
    organizationId: OrganizationId,
    userId: string,
    roles: readonly OrganizationRole[],
  ): Promise<Member | null>;
  /** Null when the user is no member. */
  setRoles(
    organizationId: OrganizationId,
    userId: string,
    roles: readonly OrganizationRole[],
  ): Promise<Member | null>;
  remove(organizationId: OrganizationId, userId: string): Promise<void>;
}
