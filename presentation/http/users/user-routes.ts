import { findUser } from '../../../application/identity/find-user.ts';
import type { UserChange } from '../../../domain/identity/user-repository.ts';
import { PERSONAL_ROLES } from '../../../domain/identity/role.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, noContent, ok } from '../request/reply.ts';
import { assertConfirmed } from '../request/require-confirmation.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { callerRoute, platformRoute, type Route } from '../routing/route.ts';
import { presentOwnUser, presentSession, presentUser } from './user-presenter.ts';
import {
  changeRequest,
  createRequest,
  endSessionRequest,
  invitationRequest,
  listRequest,
  oneRequest,
  ownPasswordRequest,
  ownReply,
  sessionList,
  setPasswordRequest,
  userCursor,
  userPage,
  userReply,
} from './user-schema.ts';

const tag = 'users';
const path = '/users/{user_id}';

export const userRoutes = (deps: HttpDependencies): readonly Route[] => [
  // `me` is not a UUID, so no user's path hides these.
  getOwnUserRoute(deps),
  changeOwnPasswordRoute(deps),
  acceptInvitationRoute(deps),
  declineInvitationRoute(deps),
  listUsersRoute(deps),
  createUserRoute(deps),
  getUserRoute(deps),
  changeUserRoute(deps),
  setPasswordRoute(deps),
  listSessionsRoute(deps),
  endSessionsRoute(deps),
  endSessionRoute(deps),
];

const getOwnUserRoute = ({ metadata }: HttpDependencies): Route =>
  callerRoute(PERSONAL_ROLES, {
    method: 'get',
    path: '/users/me',
    name: 'getOwnUser',
    summary: 'Show the caller, with all memberships and invitations',
    tag,
    request: {},
    replies: { 200: { description: 'The caller', schema: ownReply } },
    errors: ['user_not_found'],
    handle: async ({ actor }) => {
      const user = await findUser(metadata, actor.principal.userId);
      const memberships = await metadata.users.listMemberships(user.userId);
      return ok(presentOwnUser(user, memberships, await metadata.members.listInvitations(user.userId)));
    },
  });

const changeOwnPasswordRoute = ({ changeOwnPassword }: HttpDependencies): Route =>
  callerRoute(PERSONAL_ROLES, {
    method: 'put',
    path: '/users/me/password',
    name: 'changeOwnPassword',
    summary: "Replace the caller's password; all of the caller's sessions end",
    tag,
    request: ownPasswordRequest,
    replies: { 204: { description: 'Replaced' } },
    errors: ['user_not_found', 'too_many_attempts', 'service_busy'],
    handle: async ({ actor, input: { body } }) => {
      const { password, new_password: newPassword } = body;
      await changeOwnPassword(actor, { password, newPassword });
      return noContent;
    },
  });

const acceptInvitationRoute = ({ acceptInvitation, options }: HttpDependencies): Route =>
  callerRoute(PERSONAL_ROLES, {
    method: 'post',
    path: '/users/me/invitations/{inviting_org_id}/accept',
    name: 'acceptInvitation',
    summary: 'Become a member of an organization that has invited the caller; the next login can be for it',
    tag,
    request: invitationRequest(options.maxOrganizationIdLength),
    replies: { 204: { description: 'A member' } },
    errors: ['invitation_not_found'],
    handle: async ({ actor, input: { params } }) => {
      await acceptInvitation(actor, params.inviting_org_id);
      return noContent;
    },
  });

const declineInvitationRoute = ({ declineInvitation, options }: HttpDependencies): Route =>
  callerRoute(PERSONAL_ROLES, {
    method: 'post',
    path: '/users/me/invitations/{inviting_org_id}/decline',
    name: 'declineInvitation',
    summary: 'End an invitation without becoming a member',
    tag,
    request: invitationRequest(options.maxOrganizationIdLength),
    replies: { 204: { description: 'Ended' } },
    errors: ['invitation_not_found'],
    handle: async ({ actor, input: { params } }) => {
      await declineInvitation(actor, params.inviting_org_id);
      return noContent;
    },
  });

const listUsersRoute = ({ metadata }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/users',
    name: 'listUsers',
    summary: 'List users in the order of their ids',
    tag,
    request: listRequest,
    replies: { 200: { description: 'One page', schema: userPage } },
    handle: async ({ input: { query }, pages }) => {
      const filter = { email: query.email ?? null, prefix: query.q ?? null };
      const page = await pages.read(query, (wanted) => metadata.users.list(filter, wanted));
      return ok(presentPage(page, presentUser, userCursor));
    },
  });

const createUserRoute = ({ createUser }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'post',
    path: '/users',
    name: 'createUser',
    summary: 'Make a user',
    tag,
    request: createRequest,
    replies: { 201: { description: 'Made', schema: userReply } },
    errors: ['user_already_exists', 'service_busy', 'confirmation_required'],
    handle: async ({ actor, input: { body } }) => {
      const { email, platform_admin: platformAdmin, password = null } = body;
      // Otherwise a browser that was left open makes a second operator, whose password whoever sits there knows.
      if (platformAdmin) assertConfirmed(actor.principal);
      const user = await createUser(actor, { email, platformAdmin, password });
      return created(presentUser(user), `/users/${user.userId}`);
    },
  });

const getUserRoute = ({ metadata }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path,
    name: 'getUser',
    summary: 'Show a user',
    tag,
    request: oneRequest,
    replies: { 200: { description: 'The user', schema: userReply } },
    errors: ['user_not_found'],
    handle: async ({ input: { params } }) => ok(presentUser(await findUser(metadata, params.user_id))),
  });

const changeUserRoute = ({ changeUser }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'patch',
    path,
    name: 'changeUser',
    summary: 'Disable, enable, promote or demote a user, or have the password changed',
    tag,
    request: changeRequest,
    replies: { 200: { description: 'The user as it is now', schema: userReply } },
    isDangerous: true,
    errors: ['user_not_found', 'own_account_protected', 'state_conflict'],
    handle: async ({ actor, input: { params, body } }) => {
      const { seen = {}, ...change } = body;
      return ok(presentUser(await changeUser(actor, params.user_id, changeOf(change), changeOf(seen))));
    },
  });

interface ChangeBody {
  readonly status?: 'active' | 'disabled' | undefined;
  readonly platform_admin?: boolean | undefined;
  readonly must_change_password?: boolean | undefined;
}

const changeOf = (body: ChangeBody): UserChange => ({
  active: body.status === undefined ? undefined : body.status === 'active',
  platformAdmin: body.platform_admin,
  mustChangePassword: body.must_change_password,
});

const setPasswordRoute = ({ setPassword }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'put',
    path: `${path}/password`,
    name: 'setPassword',
    summary: "Set a user's password, to be changed at the next login; all sessions end",
    tag,
    request: setPasswordRequest,
    isDangerous: true,
    replies: { 204: { description: 'Set' } },
    errors: ['user_not_found', 'service_busy'],
    handle: async ({ actor, input: { params, body } }) => {
      await setPassword(actor, params.user_id, body.password);
      return noContent;
    },
  });

const sessionsPath = `${path}/sessions`;

const listSessionsRoute = ({ listUserSessions }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path: sessionsPath,
    name: 'listUserSessions',
    summary: "List a user's sessions that are not over, the latest first; a hundred at most",
    tag,
    request: oneRequest,
    replies: { 200: { description: 'The sessions', schema: sessionList } },
    errors: ['user_not_found'],
    handle: async ({ input: { params } }) =>
      ok({ items: (await listUserSessions(params.user_id)).map(presentSession) }),
  });

const ending = {
  method: 'delete',
  tag,
  isDangerous: true,
  replies: { 204: { description: 'Ended, with all tokens of it' } },
} as const;

const endSessionsRoute = ({ endUserSessions }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    ...ending,
    path: sessionsPath,
    name: 'endUserSessions',
    summary: 'End all sessions of a user, who may log in again',
    request: oneRequest,
    errors: ['user_not_found'],
    handle: async ({ actor, input: { params } }) => {
      await endUserSessions(actor, params.user_id, null);
      return noContent;
    },
  });

const endSessionRoute = ({ endUserSessions }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    ...ending,
    path: `${sessionsPath}/{session_id}`,
    name: 'endUserSession',
    summary: 'End one session of a user',
    request: endSessionRequest,
    errors: ['user_not_found', 'session_not_found'],
    handle: async ({ actor, input: { params } }) => {
      await endUserSessions(actor, params.user_id, params.session_id);
      return noContent;
    },
  });
