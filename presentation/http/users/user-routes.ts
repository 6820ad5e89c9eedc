import { ROLES } from '../../../domain/identity/role.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { callerRoute, platformRoute, type Route } from '../route.ts';
import { UserController } from './user-controller.ts';
import {
  changeRequest,
  createRequest,
  identityList,
  identityReply,
  linkRequest,
  listRequest,
  oneRequest,
  ownPasswordRequest,
  ownReply,
  setPasswordRequest,
  unlinkRequest,
  userPage,
  userReply,
} from './user-schema.ts';

const tag = 'users';
const path = '/users/{user_id}';

export const userRoutes = (deps: HttpDependencies): readonly Route[] => {
  const controller = new UserController(deps);
  // `/users/me` is no user id: the routes do not meet.
  return [...ownRoutes(controller), ...platformRoutes(controller), ...identityRoutes(controller)];
};

const ownRoutes = (controller: UserController): readonly Route[] => [
  callerRoute(ROLES, {
    method: 'get',
    path: '/users/me',
    name: 'getOwnUser',
    summary: 'Show the caller, with all memberships',
    tag,
    request: {},
    replies: { 200: { description: 'The caller', schema: ownReply } },
    errors: ['user_not_found'],
    handle: (call) => controller.getOwn(call),
  }),
  callerRoute(ROLES, {
    method: 'put',
    path: '/users/me/password',
    name: 'changeOwnPassword',
    summary: "Replace the caller's password; all of the caller's sessions end",
    tag,
    request: ownPasswordRequest,
    replies: { 204: { description: 'Replaced' } },
    errors: ['user_not_found', 'too_many_attempts'],
    handle: (call) => controller.changeOwnPassword(call),
  }),
];

const platformRoutes = (controller: UserController): readonly Route[] => [
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/users',
    name: 'listUsers',
    summary: 'List users in the order of their ids',
    tag,
    request: listRequest,
    replies: { 200: { description: 'One page', schema: userPage } },
    handle: (call) => controller.list(call),
  }),
  platformRoute(['platform_admin'], {
    method: 'post',
    path: '/users',
    name: 'createUser',
    summary: 'Make a user',
    tag,
    request: createRequest,
    replies: { 201: { description: 'Made', schema: userReply } },
    errors: ['user_already_exists'],
    handle: (call) => controller.create(call),
  }),
  platformRoute(['platform_admin'], {
    method: 'get',
    path,
    name: 'getUser',
    summary: 'Show a user',
    tag,
    request: oneRequest,
    replies: { 200: { description: 'The user', schema: userReply } },
    errors: ['user_not_found'],
    handle: (call) => controller.get(call),
  }),
  platformRoute(['platform_admin'], {
    method: 'patch',
    path,
    name: 'changeUser',
    summary: 'Disable, enable, promote or demote a user, or have the password changed',
    tag,
    request: changeRequest,
    replies: { 200: { description: 'The user as it is now', schema: userReply } },
    errors: ['user_not_found', 'own_account_protected'],
    handle: (call) => controller.change(call),
  }),
  platformRoute(['platform_admin'], {
    method: 'put',
    path: `${path}/password`,
    name: 'setPassword',
    summary: "Set a user's password, to be changed at the next login; all sessions end",
    tag,
    request: setPasswordRequest,
    replies: { 204: { description: 'Set' } },
    errors: ['user_not_found'],
    handle: (call) => controller.setPassword(call),
  }),
];

const identityRoutes = (controller: UserController): readonly Route[] => [
  platformRoute(['platform_admin'], {
    method: 'get',
    path: `${path}/identities`,
    name: 'listIdentities',
    summary: 'List what identity providers call a user',
    tag,
    request: oneRequest,
    replies: { 200: { description: 'All of them', schema: identityList } },
    errors: ['user_not_found'],
    handle: (call) => controller.listIdentities(call),
  }),
  platformRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/identities`,
    name: 'linkIdentity',
    summary: "Let an identity provider's tokens of one subject speak for a user",
    tag,
    request: linkRequest,
    replies: { 201: { description: 'Linked', schema: identityReply } },
    errors: ['user_not_found', 'identity_already_linked'],
    handle: (call) => controller.linkIdentity(call),
  }),
  platformRoute(['platform_admin'], {
    method: 'delete',
    path: `${path}/identities/{identity_id}`,
    name: 'unlinkIdentity',
    summary: "Take an identity provider's word for a user no longer",
    tag,
    request: unlinkRequest,
    replies: { 204: { description: 'Unlinked' } },
    errors: ['identity_not_found'],
    handle: (call) => controller.unlinkIdentity(call),
  }),
];
