import type { OrganizationId } from '../organizations/organization-id.ts';
import type { Page, PageRequest } from '../page.ts';
import type { OrganizationRole } from './role.ts';
import type { Membership } from './user-repository.ts';

/** A user as one organization sees it. */
export interface Member {
  readonly userId: string;
  /** Of a user who is only invited: as the invitation spells it. */
  readonly email: string;
  /**
   * `invited`: the user has not accepted, so the membership counts for nothing. The organization learns nothing more of
   * the user, such as whether the account is disabled, before that. Decision 0036.
   */
  readonly status: 'active' | 'disabled' | 'invited';
  readonly roles: readonly OrganizationRole[];
  /** When the membership was made. When the user was would tell of other organizations. */
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What an organization offers a user. */
export interface Invitation extends Membership {
  readonly createdAt: Date;
}

/** The members of organizations, and those whom they invited. */
export interface MemberRepository {
  /** In the order of the user ids, the invited ones among the others. */
  list(organizationId: OrganizationId, page: PageRequest<string>): Promise<Page<Member, string>>;
  find(organizationId: OrganizationId, userId: string): Promise<Member | null>;
  /**
   * Makes a membership that counts; an invitation of the user ends. Null when the user is a member already.
   *
   * @throws {OrganizationNotFoundError}
   */
  add(
    organizationId: OrganizationId,
    userId: string,
    roles: readonly OrganizationRole[],
  ): Promise<Member | null>;
  /** Null when the user is a member or invited already. @throws {OrganizationNotFoundError} */
  invite(
    organizationId: OrganizationId,
    userId: string,
    offer: { readonly email: string; readonly roles: readonly OrganizationRole[] },
  ): Promise<Member | null>;
  /** What organizations offer a user, in the order of the invitations. */
  listInvitations(userId: string): Promise<readonly Invitation[]>;
  /** Also of a user who is only invited. Null when the user is neither. */
  setRoles(
    organizationId: OrganizationId,
    userId: string,
    roles: readonly OrganizationRole[],
  ): Promise<Member | null>;
  /** Ends the membership or the invitation. */
  remove(organizationId: OrganizationId, userId: string): Promise<void>;
}
