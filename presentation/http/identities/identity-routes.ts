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

const listIdentitiesRoute = ({ metadata, useCases }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path,
    name: 'listIdentities',
    summary: 'List what identity providers call a user',
    tag,
    request: listRequest,
    replies: { 200: { description: 'All of them', schema: identityList } },
    errors: ['user_not_found'],
    handle: async ({ input: { params } }) => {
      const { userId } = await useCases.getUser(params.user_id);
      return ok({ items: (await metadata.identities.list(userId)).map(presentIdentity) });
    },
  });

const linkIdentityRoute = ({ useCases }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'post',
    path,
    name: 'linkIdentity',
    summary: "Let an identity provider's tokens of one subject speak for a user",
    tag,
    request: linkRequest,
    replies: { 201: { description: 'Linked', schema: identityReply } },
    errors: ['user_not_found', 'identity_already_linked'],
    handle: async ({ actor, input: { params, body } }) =>
      created(presentIdentity(await useCases.linkIdentity(actor, params.user_id, body))),
  });

const unlinkIdentityRoute = ({ useCases }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'delete',
    path: `${path}/{identity_id}`,
    name: 'unlinkIdentity',
    summary: "Take an identity provider's word for a user no longer",
    tag,
    request: unlinkRequest,
    replies: { 204: { description: 'Unlinked' } },
    errors: ['identity_not_found'],
    handle: async ({ actor, input: { params } }) => {
      await useCases.unlinkIdentity(actor, params.user_id, params.identity_id);
      return noContent;
    },
  });
