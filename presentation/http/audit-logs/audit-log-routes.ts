import {
  EVERY_TRAIL,
  type AuditEntry,
  type AuditFilter,
  type AuditKey,
  type TrailScope,
} from '../../../domain/audit/audit-log.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { Page } from '../../../domain/page.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { ok, TextStream } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { organizationRoute, platformRoute, type Route } from '../routing/route.ts';
import { CSV_HEADER, presentAuditEntry, toCsvLine } from './audit-log-presenter.ts';
import {
  auditCursor,
  auditPage,
  exportRequest,
  listRequest,
  platformListRequest,
} from './audit-log-schema.ts';

const tag = 'organizations';
const path = '/admin/audit-logs';

export const auditLogRoutes = (deps: HttpDependencies): readonly Route[] => [
  listAuditLogsRoute(deps),
  listPlatformAuditLogsRoute(deps),
  ...EXPORTS.map((form) => exportRoute(deps, form)),
];

interface FilterQuery {
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  readonly entity_id?: string | undefined;
  readonly request_id?: string | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

const filterOf = (query: FilterQuery): AuditFilter => ({
  action: query.action ?? null,
  userId: query.actor ?? null,
  entityId: query.entity_id ?? null,
  requestId: query.request_id ?? null,
  from: query.from ?? null,
  to: query.to ?? null,
});

const scopeOf = (query: {
  readonly org_id?: OrganizationId | undefined;
  readonly scope: 'platform' | 'all';
}): TrailScope => query.org_id ?? (query.scope === 'all' ? EVERY_TRAIL : null);

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
    handle: async ({ organizationId, input: { query }, pages }) => {
      const page = await pages.readSized(query, (part) =>
        metadata.auditLog.list(organizationId, filterOf(query), part),
      );
      // Each organization's trail begins with its registration. An empty page may belong to an unknown organization.
      if (page.items.length === 0) await getOrganization(organizationId);
      return ok(presentPage(page, presentAuditEntry, auditCursor));
    },
  });

const listPlatformAuditLogsRoute = ({ metadata, options }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path,
    name: 'listPlatformAuditLogs',
    summary: 'List the audit trail of what concerns no single organization, or of others, newest first',
    tag,
    request: platformListRequest(options.maxOrganizationIdLength),
    compress: true,
    replies: { 200: { description: 'One page', schema: auditPage } },
    handle: async ({ input: { query }, pages }) => {
      const page = await pages.readSized(query, (part) =>
        metadata.auditLog.list(scopeOf(query), filterOf(query), part),
      );
      return ok(presentPage(page, presentAuditEntry, auditCursor));
    },
  });

interface ExportForm {
  readonly extension: string;
  readonly name: string;
  readonly contentType: string;
  readonly header: string;
  readonly line: (entry: AuditEntry) => string;
}

const EXPORTS: readonly ExportForm[] = [
  {
    extension: 'csv',
    name: 'exportAuditLogsAsCsv',
    contentType: 'text/csv; charset=utf-8',
    header: CSV_HEADER,
    line: toCsvLine,
  },
  {
    extension: 'ndjson',
    name: 'exportAuditLogsAsNdjson',
    contentType: 'application/x-ndjson; charset=utf-8',
    header: '',
    line: (entry) => `${presentAuditEntry(entry).text}\n`,
  },
];

const exportRoute = (
  { metadata, options }: HttpDependencies,
  { extension, name, contentType, header, line }: ExportForm,
): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path: `${path}.${extension}`,
    name,
    summary: `Export the audit trail as ${extension.toUpperCase()}, newest first, as it is while it is read`,
    tag,
    request: exportRequest(options.maxOrganizationIdLength),
    replies: { 200: { description: 'All entries that the filters let through', contentType } },
    handle: ({ input: { query }, pages }) => ({
      status: 200,
      headers: {
        'Content-Type': contentType,
        'Content-Disposition': `attachment; filename="audit-logs.${extension}"`,
      },
      body: new TextStream(
        exportedText({ header, line }, (wanted) =>
          pages.readSized(wanted, (part) => metadata.auditLog.list(scopeOf(query), filterOf(query), part)),
        ),
      ),
    }),
  });

const PAGE_SIZE = 200;

/** Reads a page when the one before was taken. */
async function* exportedText(
  { header, line }: Pick<ExportForm, 'header' | 'line'>,
  readPage: (query: { limit: number; cursor: AuditKey | null }) => Promise<Page<AuditEntry, AuditKey>>,
): AsyncGenerator<string> {
  let cursor: AuditKey | null = null;
  let before = header;
  do {
    const page: Page<AuditEntry, AuditKey> = await readPage({ limit: PAGE_SIZE, cursor });
    yield before + page.items.map(line).join('');
    before = '';
    cursor = page.next;
  } while (cursor !== null);
}
