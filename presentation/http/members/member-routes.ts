import { OrganizationNotFoundError } from '../../../domain/exceptions.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, noContent, ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { organizationRoute, type Route } from '../routing/route.ts';
import { presentMember } from './member-presenter.ts';
import {
  addRequest,
  listRequest,
  memberCursor,
  memberPage,
  memberReply,
  removeRequest,
  rolesRequest,
} from './member-schema.ts';

const tag = 'members';
const path = '/organizations/{org_id}/members';
const ADMINISTRATORS = ['org_admin', 'platform_admin'] as const;

export const memberRoutes = (deps: HttpDependencies): readonly Route[] => [
  listMembersRoute(deps),
  addMemberRoute(deps),
  changeMemberRolesRoute(deps),
  removeMemberRoute(deps),
];

const listMembersRoute = ({ metadata }: HttpDependencies): Route =>
  organizationRoute(ADMINISTRATORS, {
    method: 'get',
    path,
    name: 'listMembers',
    summary: "List the organization's members in the order of their user ids",
    tag,
    request: listRequest,
    replies: { 200: { description: 'One page', schema: memberPage } },
    errors: ['organization_not_found'],
    handle: async ({ organizationId, input: { query }, pages }) => {
      const { organizations, members } = metadata;
      if ((await organizations.find(organizationId)) === null) throw new OrganizationNotFoundError();
      const page = await pages.read(query, (wanted) => members.list(organizationId, wanted));
      return ok(presentPage(page, presentMember, memberCursor));
    },
  });

const addMemberRoute = ({ addMember }: HttpDependencies): Route =>
  organizationRoute(ADMINISTRATORS, {
    method: 'post',
    path,
    name: 'addMember',
    summary:
      'Invite a user, by email; what a platform administrator adds counts without being accepted. ' +
      'An email that is new becomes a user without a password',
    tag,
    request: addRequest,
    replies: { 201: { description: 'A member, or an invited one', schema: memberReply } },
    errors: ['organization_not_found', 'member_already_exists'],
    handle: async ({ actor, organizationId, input: { body }, home }) => {
      const member = await addMember(actor, organizationId, body);
      return created(presentMember(member), `${home}/members/${member.userId}`);
    },
  });

const changeMemberRolesRoute = ({ changeMemberRoles }: HttpDependencies): Route =>
  organizationRoute(ADMINISTRATORS, {
    method: 'put',
    path: `${path}/{user_id}`,
    name: 'changeMemberRoles',
    summary: "Replace a member's roles; a removed role ends at once, an added one comes with the next token",
    tag,
    request: rolesRequest,
    replies: { 200: { description: 'The member as it is now', schema: memberReply } },
    errors: ['member_not_found'],
    handle: async ({ actor, organizationId, input: { params, body } }) => {
      const member = await changeMemberRoles(actor, organizationId, params.user_id, body.roles);
      return ok(presentMember(member));
    },
  });

const removeMemberRoute = ({ removeMember }: HttpDependencies): Route =>
  organizationRoute(ADMINISTRATORS, {
    method: 'delete',
    path: `${path}/{user_id}`,
    name: 'removeMember',
    summary: 'End a membership, whose tokens stop working at once, or take an invitation back',
    tag,
    request: removeRequest,
    replies: { 204: { description: 'Ended' } },
    errors: ['member_not_found'],
    handle: async ({ actor, organizationId, input: { params } }) => {
      await removeMember(actor, organizationId, params.user_id);
      return noContent;
    },
  });
