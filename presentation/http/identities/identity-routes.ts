import { findUser } from '../../../application/identity/find-user.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, noContent, ok } from '../request/reply.ts';
import { platformRoute, type Route } from '../routing/route.ts';
import { presentIdentity } from './identity-presenter.ts';
import { identityList, identityReply, linkRequest, listRequest, unlinkRequest } from './identity-schema.ts';

const tag = 'users';
const path = '/users/{user_id}/identities';

export const identityRoutes = (deps: HttpDependencies): readonly Route[] => [
  listIdentitiesRoute(deps),
  linkIdentityRoute(deps),
  unlinkIdentityRoute(deps),
];

const listIdentitiesRoute = ({ metadata }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path,
    name: 'listIdentities',
    summary: 'List the identities that a user has at identity providers',
    tag,
    request: listRequest,
    replies: { 200: { description: 'All of them', schema: identityList } },
    errors: ['user_not_found'],
    handle: async ({ input: { params } }) => {
      const { userId } = await findUser(metadata, params.user_id);
      return ok({ items: (await metadata.identities.list(userId)).map(presentIdentity) });
    },
  });

const linkIdentityRoute = ({ linkIdentity }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'post',
    path,
    name: 'linkIdentity',
    summary: 'Link a subject of an identity provider to a user',
    tag,
    request: linkRequest,
    isDangerous: true,
    replies: { 201: { description: 'Linked', schema: identityReply } },
    errors: ['user_not_found', 'identity_already_linked'],
    handle: async ({ actor, input: { params, body } }) =>
      created(presentIdentity(await linkIdentity(actor, params.user_id, body))),
  });

const unlinkIdentityRoute = ({ unlinkIdentity }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'delete',
    path: `${path}/{identity_id}`,
    name: 'unlinkIdentity',
    summary: 'Unlink a subject of an identity provider from a user',
    tag,
    request: unlinkRequest,
    replies: { 204: { description: 'Unlinked' } },
    errors: ['identity_not_found'],
    handle: async ({ actor, input: { params } }) => {
      await unlinkIdentity(actor, params.user_id, params.identity_id);
      return noContent;
    },
  });
