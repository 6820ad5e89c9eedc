import { ROLES } from '../../../domain/identity/role.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { VersionedSettings } from '../../../domain/organizations/organization.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, ok, type Reply } from '../request/reply.ts';
import { organizationRoute, platformRoute, type Route } from '../routing/route.ts';
import { presentPage } from '../request/schema/cursor.ts';
import type { Input } from '../request/schema/parse-request.ts';
import { presentAuditEntry, presentOrganization, presentOrganizationItem } from './organization-presenter.ts';
import {
  auditCursor,
  auditPage,
  auditRequest,
  changeRequest,
  createRequest,
  listRequest,
  organizationCursor,
  organizationPage,
  organizationReply,
  settingsPatchRequest,
  settingsReply,
  settingsRequest,
} from './organization-schema.ts';

const tag = 'organizations';
const path = '/organizations/{org_id}';

export const organizationRoutes = (deps: HttpDependencies): readonly Route[] => [
  ...ownRoutes(deps),
  ...settingsRoutes(deps),
  ...statusRoutes(deps),
  ...auditRoutes(deps),
];

const show = async (deps: HttpDependencies, organizationId: OrganizationId): Promise<Reply> => {
  const { organization, database } = await deps.getOrganization.execute(organizationId);
  return ok(presentOrganization(organization, database));
};

const ownRoutes = (deps: HttpDependencies): readonly Route[] => [
  platformRoute(['platform_admin'], {
    method: 'post',
    path: '/organizations',
    name: 'createOrganization',
    summary: 'Register an organization; its database is made at first use',
    tag,
    request: createRequest(deps.options.maxOrganizationIdLength),
    replies: { 201: { description: 'Registered', schema: organizationReply } },
    errors: ['organization_already_exists'],
    handle: async ({ actor, input: { body } }) => {
      const organization = await deps.createOrganization.execute(actor, { id: body.org_id, name: body.name });
      return created(presentOrganization(organization, null), `/organizations/${organization.id}`);
    },
  }),
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/organizations',
    name: 'listOrganizations',
    summary: 'List organizations in the order of their ids',
    tag,
    request: listRequest,
    replies: { 200: { description: 'One page', schema: organizationPage } },
    handle: async ({ input: { query } }) => {
      const page = await deps.metadata.organizations.list({ limit: query.limit, after: query.cursor });
      return ok(presentPage(page, presentOrganizationItem, organizationCursor));
    },
  }),
  organizationRoute(ROLES, {
    method: 'get',
    path,
    name: 'getOrganization',
    summary: 'Show an organization and its database',
    tag,
    request: {},
    replies: { 200: { description: 'The organization', schema: organizationReply } },
    errors: ['organization_not_found'],
    handle: ({ organizationId }) => show(deps, organizationId),
  }),
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
      if (body.name !== undefined) await deps.renameOrganization.execute(actor, organizationId, body.name);
      return show(deps, organizationId);
    },
  }),
];

const presentSettings = ({ settings, version }: VersionedSettings): Reply => ({
  ...ok({ settings }),
  headers: { ETag: `"${version}"` },
});

const settingsRoutes = (deps: HttpDependencies): readonly Route[] => {
  const maxConnections = deps.options.maxConnectionsPerOrganization;
  return [
    organizationRoute(['org_admin'], {
      method: 'get',
      path: `${path}/settings`,
      name: 'getSettings',
      summary: "Show the organization's settings",
      tag,
      request: {},
      replies: { 200: { description: 'All settings', schema: settingsReply } },
      errors: ['organization_not_found'],
      handle: async ({ organizationId }) => presentSettings(await deps.getSettings.execute(organizationId)),
    }),
    organizationRoute(['org_admin'], {
      method: 'put',
      path: `${path}/settings`,
      name: 'replaceSettings',
      summary: "Replace all of the organization's settings",
      tag,
      request: settingsRequest(maxConnections),
      replies: { 200: { description: 'All settings as they are now', schema: settingsReply } },
      errors: ['organization_not_found', 'settings_changed'],
      handle: async ({ actor, organizationId, input: { headers, body } }) => {
        const expected = headers['If-Match'] ?? null;
        return presentSettings(
          await deps.replaceSettings.execute(actor, organizationId, body.settings, expected),
        );
      },
    }),
    organizationRoute(['org_admin'], {
      method: 'patch',
      path: `${path}/settings`,
      name: 'patchSettings',
      summary: "Change the given ones of the organization's settings (RFC 7396: null removes one)",
      tag,
      request: settingsPatchRequest(maxConnections),
      replies: { 200: { description: 'All settings as they are now', schema: settingsReply } },
      errors: ['organization_not_found', 'settings_changed'],
      handle: async ({ actor, organizationId, input: { headers, body } }) => {
        const expected = headers['If-Match'] ?? null;
        return presentSettings(
          await deps.patchSettings.execute(actor, organizationId, body.settings, expected),
        );
      },
    }),
  ];
};

const statusRoutes = (deps: HttpDependencies): readonly Route[] => [
  organizationRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/suspend`,
    name: 'suspendOrganization',
    summary: 'Serve no results of the organization until it is resumed; running requests end',
    tag,
    request: {},
    replies: { 200: { description: 'The organization, suspended', schema: organizationReply } },
    errors: ['organization_not_found'],
    handle: async ({ actor, organizationId }) => {
      await deps.suspendOrganization.suspend(actor, organizationId);
      return show(deps, organizationId);
    },
  }),
  organizationRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/resume`,
    name: 'resumeOrganization',
    summary: 'Serve the results of a suspended organization again',
    tag,
    request: {},
    replies: { 200: { description: 'The organization, active', schema: organizationReply } },
    errors: ['organization_not_found'],
    handle: async ({ actor, organizationId }) => {
      await deps.suspendOrganization.resume(actor, organizationId);
      return show(deps, organizationId);
    },
  }),
];

const listTrail = async (
  deps: HttpDependencies,
  organizationId: OrganizationId | null,
  { query }: Input<typeof auditRequest>,
): Promise<Reply> => {
  const filter = { action: query.action ?? null };
  const key = { limit: query.limit, after: query.cursor };
  const page = await deps.metadata.auditLog.list(organizationId, filter, key);
  // Every organization's trail begins with its registration: an empty page may be that of none.
  if (page.items.length === 0 && organizationId !== null) await deps.getOrganization.execute(organizationId);
  return ok(presentPage(page, presentAuditEntry, auditCursor));
};

const auditRoutes = (deps: HttpDependencies): readonly Route[] => [
  organizationRoute(['org_admin', 'platform_admin'], {
    method: 'get',
    path: `${path}/audit-logs`,
    name: 'listAuditLogs',
    summary:
      "List the organization's audit trail, newest first; what happens to results arrives a moment later",
    tag,
    request: auditRequest,
    replies: { 200: { description: 'One page', schema: auditPage } },
    errors: ['organization_not_found'],
    handle: ({ organizationId, input }) => listTrail(deps, organizationId, input),
  }),
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/admin/audit-logs',
    name: 'listPlatformAuditLogs',
    summary: 'List the audit trail of what concerns no single organization, newest first',
    tag,
    request: auditRequest,
    replies: { 200: { description: 'One page', schema: auditPage } },
    handle: ({ input }) => listTrail(deps, null, input),
  }),
];
