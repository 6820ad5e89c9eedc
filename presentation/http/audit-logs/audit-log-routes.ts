import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { organizationRoute, platformRoute, type Route } from '../routing/route.ts';
import { presentAuditEntry } from './audit-log-presenter.ts';
import { auditCursor, auditPage, listRequest } from './audit-log-schema.ts';

const tag = 'organizations';

export const auditLogRoutes = (deps: HttpDependencies): readonly Route[] => [
  listAuditLogsRoute(deps),
  listPlatformAuditLogsRoute(deps),
];

const listAuditLogsRoute = ({ metadata, getOrganization }: HttpDependencies): Route =>
  organizationRoute(['org_admin', 'platform_admin'], {
    method: 'get',
    path: '/organizations/{org_id}/audit-logs',
    name: 'listAuditLogs',
    summary:
      "List the organization's audit trail, newest first; what happens to results arrives a moment later",
    tag,
    request: listRequest,
    compress: true,
    replies: { 200: { description: 'One page', schema: auditPage } },
    errors: ['organization_not_found'],
    handle: async ({ organizationId, input: { query } }) => {
      const page = await metadata.auditLog.list(
        organizationId,
        { action: query.action ?? null },
        { limit: query.limit, after: query.cursor },
      );
      // Each organization's trail begins with its registration. An empty page may belong to an unknown organization.
      if (page.items.length === 0) await getOrganization(organizationId);
      return ok(presentPage(page, presentAuditEntry, auditCursor));
    },
  });

const listPlatformAuditLogsRoute = ({ metadata }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/admin/audit-logs',
    name: 'listPlatformAuditLogs',
    summary: 'List the audit trail of what concerns no single organization, newest first',
    tag,
    request: listRequest,
    compress: true,
    replies: { 200: { description: 'One page', schema: auditPage } },
    handle: async ({ input: { query } }) => {
      const page = await metadata.auditLog.list(
        null,
        { action: query.action ?? null },
        { limit: query.limit, after: query.cursor },
      );
      return ok(presentPage(page, presentAuditEntry, auditCursor));
    },
  });
