import { FLEET_ROLES, type AccountOwner } from '../../../domain/identity/service-account-repository.ts';
import { ServiceAccountNotFoundError } from '../../../domain/identity/errors.ts';
import { OrganizationNotFoundError } from '../../../domain/exceptions.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, noContent, ok, type Reply } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import type { RequestParts } from '../request/schema/parse-request.ts';
import { organizationRoute, platformRoute, type Route } from '../routing/route.ts';
import {
  presentCreated,
  presentKey,
  presentNewKey,
  presentServiceAccount,
} from './service-account-presenter.ts';
import {
  createdReply,
  createFleetRequest,
  createRequest,
  keyList,
  keyRequest,
  listRequest,
  newKeyReply,
  oneRequest,
  serviceAccountCursor,
  serviceAccountPage,
  serviceAccountReply,
} from './service-account-schema.ts';

const tag = 'service accounts';
const OF_ORGANIZATION = '/organizations/{org_id}/service-accounts';
const OF_PLATFORM = '/admin/service-accounts';
const ONE = '/{service_account_id}';

export const serviceAccountRoutes = (deps: HttpDependencies): readonly Route[] => [
  createServiceAccountRoute(deps),
  createFleetRoute(deps),
  ...listServiceAccountsRoutes(deps),
  ...getServiceAccountRoutes(deps),
  admitFleetRoute(deps),
  ...removeServiceAccountRoutes(deps),
  ...addKeyRoutes(deps),
  ...listKeysRoutes(deps),
  ...revokeKeyRoutes(deps),
];

type Definition<Parts extends RequestParts> = Parameters<typeof platformRoute<Parts>>[1];

/**
 * The same route for an organization's accounts and for the platform's fleets. `path` and `name` are those of an
 * organization's.
 */
const ownedRoutes = <Parts extends RequestParts>(
  roles: readonly ('org_admin' | 'platform_admin')[],
  definition: Omit<Definition<Parts>, 'handle'>,
  handle: (owner: AccountOwner, call: Parameters<Definition<Parts>['handle']>[0]) => Reply | Promise<Reply>,
): readonly Route[] => [
  organizationRoute<Parts>(roles, {
    ...definition,
    handle: (call) => handle(call.organizationId, call),
  }),
  platformRoute<Parts>(['platform_admin'], {
    ...definition,
    path: definition.path.replace(OF_ORGANIZATION, OF_PLATFORM),
    name: definition.name.replace('ServiceAccount', 'Fleet'),
    tag: 'fleets',
    summary: `${definition.summary}; of the platform`,
    handle: (call) => handle(null, call),
  }),
];

const createServiceAccountRoute = ({ createServiceAccount }: HttpDependencies): Route =>
  organizationRoute(['org_admin'], {
    method: 'post',
    path: OF_ORGANIZATION,
    name: 'createServiceAccount',
    summary: 'Make an account for programs of the organization, with its first key',
    tag,
    request: createRequest,
    isDangerous: true,
    replies: { 201: { description: 'The account; the key is shown this once', schema: createdReply } },
    errors: ['organization_not_found'],
    handle: async ({ actor, organizationId, input: { body }, home }) => {
      const { account, key } = await createServiceAccount(actor, organizationId, body);
      return created(presentCreated(account, key), `${home}/service-accounts/${account.accountId}`);
    },
  });

const createFleetRoute = ({ createServiceAccount }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'post',
    path: OF_PLATFORM,
    name: 'createFleet',
    summary: 'Make an account for workers that any organization may admit, with its first key',
    tag: 'fleets',
    request: createFleetRequest,
    isDangerous: true,
    replies: { 201: { description: 'The account; the key is shown this once', schema: createdReply } },
    handle: async ({ actor, input: { body } }) => {
      const { account, key } = await createServiceAccount(actor, null, { ...body, roles: FLEET_ROLES });
      return created(presentCreated(account, key), `${OF_PLATFORM}/${account.accountId}`);
    },
  });

const listServiceAccountsRoutes = ({ metadata }: HttpDependencies): readonly Route[] =>
  ownedRoutes(
    ['org_admin', 'platform_admin'],
    {
      method: 'get',
      path: OF_ORGANIZATION,
      name: 'listServiceAccounts',
      summary: 'List service accounts, and the fleets that were admitted, in the order of their ids',
      tag,
      request: listRequest,
      replies: { 200: { description: 'One page', schema: serviceAccountPage } },
      errors: ['organization_not_found'],
    },
    async (owner, { input: { query }, pages }) => {
      if (owner !== null) await assertOrganization(metadata, owner);
      const page = await pages.read(query, (wanted) => metadata.serviceAccounts.list(owner, wanted));
      return ok(presentPage(page, presentServiceAccount, serviceAccountCursor));
    },
  );

const assertOrganization = async (
  { organizations }: Pick<HttpDependencies['metadata'], 'organizations'>,
  organizationId: OrganizationId,
): Promise<void> => {
  if ((await organizations.find(organizationId)) === null) throw new OrganizationNotFoundError();
};

const getServiceAccountRoutes = ({ metadata }: HttpDependencies): readonly Route[] =>
  ownedRoutes(
    ['org_admin', 'platform_admin'],
    {
      method: 'get',
      path: `${OF_ORGANIZATION}${ONE}`,
      name: 'getServiceAccount',
      summary: 'Show a service account',
      tag,
      request: oneRequest,
      replies: { 200: { description: 'The account', schema: serviceAccountReply } },
      errors: ['service_account_not_found'],
    },
    async (owner, { input: { params } }) => {
      const account = await metadata.serviceAccounts.find(owner, params.service_account_id);
      if (account === null) throw new ServiceAccountNotFoundError();
      return ok(presentServiceAccount(account));
    },
  );

const admitFleetRoute = ({ admitFleet }: HttpDependencies): Route =>
  organizationRoute(['org_admin', 'platform_admin'], {
    method: 'put',
    path: `${OF_ORGANIZATION}${ONE}`,
    name: 'admitFleet',
    summary: "Let a fleet of the platform work on the organization's jobs, in the role `worker`",
    tag,
    request: oneRequest,
    replies: {
      200: { description: 'It was admitted before', schema: serviceAccountReply },
      201: { description: 'Admitted', schema: serviceAccountReply },
    },
    errors: ['service_account_not_found', 'organization_not_found'],
    handle: async ({ actor, organizationId, input: { params } }) => {
      const { account, isNew } = await admitFleet(actor, organizationId, params.service_account_id);
      return isNew ? created(presentServiceAccount(account)) : ok(presentServiceAccount(account));
    },
  });

const removeServiceAccountRoutes = ({ removeServiceAccount }: HttpDependencies): readonly Route[] =>
  ownedRoutes(
    ['org_admin', 'platform_admin'],
    {
      method: 'delete',
      path: `${OF_ORGANIZATION}${ONE}`,
      name: 'removeServiceAccount',
      summary: 'Delete a service account, or end the admission of a fleet; its tokens stop working at once',
      tag,
      request: oneRequest,
      isDangerous: true,
      replies: { 204: { description: 'Ended' } },
      errors: ['service_account_not_found'],
    },
    async (owner, { actor, input: { params } }) => {
      await removeServiceAccount(actor, owner, params.service_account_id);
      return noContent;
    },
  );

const addKeyRoutes = ({ addServiceAccountKey }: HttpDependencies): readonly Route[] =>
  ownedRoutes(
    ['org_admin'],
    {
      method: 'post',
      path: `${OF_ORGANIZATION}${ONE}/keys`,
      name: 'addServiceAccountKey',
      summary: 'Make another key; those that there are go on working',
      tag,
      request: oneRequest,
      isDangerous: true,
      replies: { 201: { description: 'The key, shown this once', schema: newKeyReply } },
      errors: ['service_account_not_found', 'quota_exceeded'],
    },
    async (owner, { actor, input: { params } }) =>
      created(presentNewKey(await addServiceAccountKey(actor, owner, params.service_account_id))),
  );

const listKeysRoutes = ({ listServiceAccountKeys }: HttpDependencies): readonly Route[] =>
  ownedRoutes(
    ['org_admin'],
    {
      method: 'get',
      path: `${OF_ORGANIZATION}${ONE}/keys`,
      name: 'listServiceAccountKeys',
      summary: 'List the keys of a service account, the oldest first, without what they are',
      tag,
      request: oneRequest,
      replies: { 200: { description: 'All keys that work', schema: keyList } },
      errors: ['service_account_not_found'],
    },
    async (owner, { input: { params } }) => {
      const keys = await listServiceAccountKeys(owner, params.service_account_id);
      return ok({ items: keys.map(presentKey) });
    },
  );

const revokeKeyRoutes = ({ revokeServiceAccountKey }: HttpDependencies): readonly Route[] =>
  ownedRoutes(
    ['org_admin'],
    {
      method: 'delete',
      path: `${OF_ORGANIZATION}${ONE}/keys/{key_id}`,
      name: 'revokeServiceAccountKey',
      summary: 'End a key, and the tokens that it brought',
      tag,
      request: keyRequest,
      isDangerous: true,
      replies: { 204: { description: 'Ended' } },
      errors: ['service_account_not_found', 'service_account_key_not_found'],
    },
    async (owner, { actor, input: { params } }) => {
      await revokeServiceAccountKey(actor, owner, params.service_account_id, params.key_id);
      return noContent;
    },
  );
