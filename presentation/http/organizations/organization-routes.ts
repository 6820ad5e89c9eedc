import { ROLES } from '../../../domain/identity/role.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { organizationRoute, platformRoute, type Route } from '../route.ts';
import { OrganizationController } from './organization-controller.ts';
import {
  auditPage,
  auditRequest,
  changeRequest,
  createRequest,
  listRequest,
  organizationPage,
  organizationReply,
  settingsReply,
  settingsRequest,
} from './organization-schema.ts';

const tag = 'organizations';
const path = '/organizations/{org_id}';

export const organizationRoutes = (deps: HttpDependencies): readonly Route[] => {
  const controller = new OrganizationController(deps);
  return [
    platformRoute(['platform_admin'], {
      method: 'post',
      path: '/organizations',
      name: 'createOrganization',
      summary: 'Register an organization; its database is made at first use',
      tag,
      request: createRequest(deps.options.maxOrganizationIdLength),
      replies: { 201: { description: 'Registered', schema: organizationReply } },
      errors: ['organization_already_exists'],
      handle: (call) => controller.create(call),
    }),
    platformRoute(['platform_admin'], {
      method: 'get',
      path: '/organizations',
      name: 'listOrganizations',
      summary: 'List organizations in the order of their ids',
      tag,
      request: listRequest,
      replies: { 200: { description: 'One page', schema: organizationPage } },
      handle: (call) => controller.list(call),
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
      handle: (call) => controller.get(call),
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
      handle: (call) => controller.change(call),
    }),
    organizationRoute(['org_admin'], {
      method: 'get',
      path: `${path}/settings`,
      name: 'getSettings',
      summary: "Show the organization's settings",
      tag,
      request: {},
      replies: { 200: { description: 'All settings', schema: settingsReply } },
      errors: ['organization_not_found'],
      handle: (call) => controller.getSettings(call),
    }),
    organizationRoute(['org_admin'], {
      method: 'put',
      path: `${path}/settings`,
      name: 'replaceSettings',
      summary: "Replace all of the organization's settings",
      tag,
      request: settingsRequest,
      replies: { 200: { description: 'All settings as they are now', schema: settingsReply } },
      errors: ['organization_not_found'],
      handle: (call) => controller.replaceSettings(call),
    }),
    organizationRoute(['org_admin', 'platform_admin'], {
      method: 'get',
      path: `${path}/audit-logs`,
      name: 'listAuditLogs',
      summary: "List the organization's audit trail, newest first",
      tag,
      request: auditRequest,
      replies: { 200: { description: 'One page', schema: auditPage } },
      handle: (call) => controller.listAuditLogs(call),
    }),
    platformRoute(['platform_admin'], {
      method: 'get',
      path: '/admin/audit-logs',
      name: 'listPlatformAuditLogs',
      summary: 'List the audit trail of what concerns no single organization, newest first',
      tag,
      request: auditRequest,
      replies: { 200: { description: 'One page', schema: auditPage } },
      handle: (call) => controller.listAuditLogs({ ...call, organizationId: null }),
    }),
  ];
};
