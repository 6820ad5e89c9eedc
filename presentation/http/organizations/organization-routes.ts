import {
  ANYWHERE,
  type PlacementPin,
  type ServerId,
  type ServerLabels,
} from '../../../domain/databases/server.ts';
import { PERSONAL_ROLES } from '../../../domain/identity/role.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { organizationRoute, platformRoute, type Route } from '../routing/route.ts';
import { presentListedOrganization, presentOrganization } from './organization-presenter.ts';
import {
  changeRequest,
  createRequest,
  listRequest,
  moveRequest,
  organizationCursor,
  organizationPage,
  organizationReply,
} from './organization-schema.ts';

const tag = 'organizations';
const path = '/organizations/{org_id}';

export const organizationRoutes = (deps: HttpDependencies): readonly Route[] => [
  createOrganizationRoute(deps),
  listOrganizationsRoute(deps),
  getOrganizationRoute(deps),
  changeOrganizationRoute(deps),
  suspendOrganizationRoute(deps),
  resumeOrganizationRoute(deps),
];

const pinOf = ({
  server_id: serverId,
  labels,
}: {
  readonly server_id?: ServerId | null | undefined;
  readonly labels?: ServerLabels | undefined;
}): Partial<PlacementPin> => ({
  ...(serverId !== undefined && { serverId }),
  ...(labels !== undefined && { labels }),
});

const createOrganizationRoute = ({ createOrganization, options }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'post',
    path: '/organizations',
    name: 'createOrganization',
    summary: 'Register an organization; its database is made at first use',
    tag,
    request: createRequest(options.maxOrganizationIdLength),
    replies: { 201: { description: 'Registered', schema: organizationReply } },
    errors: ['organization_already_exists'],
    handle: async ({ actor, input: { body } }) => {
      const organization = await createOrganization(actor, {
        id: body.org_id,
        name: body.name,
        ...(body.placement !== undefined && { placement: { ...ANYWHERE, ...pinOf(body.placement) } }),
      });
      return created(
        presentOrganization({ organization, database: null }, actor),
        `/organizations/${organization.id}`,
      );
    },
  });

const listOrganizationsRoute = ({ metadata }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/organizations',
    name: 'listOrganizations',
    summary: 'List organizations with the state of their databases; opens none',
    tag,
    request: listRequest,
    replies: { 200: { description: 'One page', schema: organizationPage } },
    handle: async ({ input: { query }, pages }) => {
      const filter = {
        prefix: query.q ?? null,
        status: query.status ?? null,
        serverId: query.server ?? null,
        state: query.state ?? null,
        order: query.sort,
      };
      const page = await pages.read(query, (wanted) => metadata.organizations.list(filter, wanted));
      return ok(presentPage(page, presentListedOrganization, organizationCursor));
    },
  });

const getOrganizationRoute = ({ getOrganization }: HttpDependencies): Route =>
  organizationRoute(PERSONAL_ROLES, {
    method: 'get',
    path,
    name: 'getOrganization',
    summary: 'Show an organization and its database',
    tag,
    request: {},
    replies: { 200: { description: 'The organization', schema: organizationReply } },
    errors: ['organization_not_found'],
    handle: async ({ actor, organizationId }) =>
      ok(presentOrganization(await getOrganization(organizationId), actor)),
  });

const changeOrganizationRoute = ({ changeOrganization, getOrganization }: HttpDependencies): Route =>
  organizationRoute(['platform_admin', 'org_admin'], {
    method: 'patch',
    path,
    name: 'changeOrganization',
    summary: 'Change the given fields of an organization',
    tag,
    request: changeRequest,
    replies: { 200: { description: 'The organization as it is now', schema: organizationReply } },
    errors: ['organization_not_found'],
    handle: async ({ actor, organizationId, input: { body } }) => {
      const { name, placement } = body;
      if (name !== undefined || placement !== undefined)
        await changeOrganization(actor, organizationId, {
          ...(name !== undefined && { name }),
          ...(placement !== undefined && { placement: pinOf(placement) }),
        });
      return ok(presentOrganization(await getOrganization(organizationId), actor));
    },
  });

const suspendOrganizationRoute = ({ suspendOrganization, getOrganization }: HttpDependencies): Route =>
  organizationRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/suspend`,
    name: 'suspendOrganization',
    summary: 'Serve no results of the organization until it is resumed; running requests end',
    tag,
    request: moveRequest,
    replies: { 200: { description: 'The organization, suspended', schema: organizationReply } },
    errors: ['organization_not_found', 'state_conflict'],
    handle: async ({ actor, organizationId, input: { query } }) => {
      await suspendOrganization(actor, organizationId, query.seen_status);
      return ok(presentOrganization(await getOrganization(organizationId), actor));
    },
  });

const resumeOrganizationRoute = ({ resumeOrganization, getOrganization }: HttpDependencies): Route =>
  organizationRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/resume`,
    name: 'resumeOrganization',
    summary: 'Serve the results of a suspended organization again',
    tag,
    request: moveRequest,
    replies: { 200: { description: 'The organization, active', schema: organizationReply } },
    errors: ['organization_not_found', 'state_conflict'],
    handle: async ({ actor, organizationId, input: { query } }) => {
      await resumeOrganization(actor, organizationId, query.seen_status);
      return ok(presentOrganization(await getOrganization(organizationId), actor));
    },
  });
