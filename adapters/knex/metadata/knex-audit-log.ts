import type { AuditEntry, AuditEvent, AuditKey, AuditLog } from '../../../domain/audit/audit-log.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { dynamicQuery, sql, statement, type SqlExecutor } from '../statement.ts';

interface AuditRow {
  /** A bigint, which the driver gives as text. */
  readonly position: string;
  readonly audit_id: string;
  readonly org_id: OrganizationId | null;
  readonly user_id: string | null;
  readonly action: string;
  readonly entity_type: string;
  readonly entity_id: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly request_id: string | null;
  readonly address: string | null;
  readonly ts: Date;
}

const COLUMNS = [
  'position',
  'audit_id',
  'org_id',
  'user_id',
  'action',
  'entity_type',
  'entity_id',
  'details',
  'request_id',
  'address',
] as const satisfies readonly (keyof AuditRow)[];

/** The moments that RFC 3339 and the cursors of lists can write. What is stored may lie outside, or nowhere at all. */
const FIRST_MOMENT = new Date(0);
const LAST_MOMENT = new Date('9999-12-31T23:59:59.999Z');

const shownTime = sql.raw('least(greatest(audit_logs.ts, ?), ?) as ts', [FIRST_MOMENT, LAST_MOMENT]);

/** Such a moment may stand for others: then the entry itself says what follows it. */
const isOutermost = (at: Date): boolean =>
  at.getTime() <= FIRST_MOMENT.getTime() || at.getTime() >= LAST_MOMENT.getTime();

const append = statement<AuditEvent & { address: string | null; json: string }>('audit_append', (p) =>
  sql('audit_logs').insert({
    org_id: p('organizationId'),
    user_id: p('userId'),
    action: p('action'),
    entity_type: p('entityType'),
    entity_id: p('entityId'),
    details: p('json'),
    request_id: p('requestId'),
    address: p('address'),
  }),
);

const toAuditEntry = (row: AuditRow): AuditEntry => ({
  position: row.position,
  auditId: row.audit_id,
  organizationId: row.org_id,
  userId: row.user_id,
  action: row.action,
  entityType: row.entity_type,
  entityId: row.entity_id,
  details: row.details,
  requestId: row.request_id,
  address: row.address,
  at: row.ts,
});

export class KnexAuditLog implements AuditLog {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async append(event: AuditEvent): Promise<void> {
    await this.#executor.query(
      append({ ...event, address: event.address ?? null, json: JSON.stringify(event.details) }),
    );
  }

  async list(
    organizationId: OrganizationId | null,
    { action }: { readonly action: string | null },
    { limit, after }: PageRequest<AuditKey>,
  ): Promise<Page<AuditEntry, AuditKey>> {
    const query = sql('audit_logs')
      .select(COLUMNS)
      .select(shownTime)
      .where('org_id', organizationId)
      .orderBy([
        { column: 'audit_logs.ts', order: 'desc' },
        { column: 'position', order: 'desc' },
      ])
      .limit(limit + 1);
    if (action !== null) query.where('action', action);
    if (after !== null && isOutermost(after.at)) {
      const entry = sql('audit_logs')
        .select('ts', 'position')
        .where('org_id', organizationId)
        .where('position', after.position);
      query.whereRaw('(audit_logs.ts, position) < (?)', [entry]);
    } else if (after !== null) {
      query.whereRaw('(audit_logs.ts, position) < (?, ?)', [after.at, after.position]);
    }
    const rows = await this.#executor.query(dynamicQuery<AuditRow>(query));
    return toPage(rows.map(toAuditEntry), limit, ({ at, position }) => ({ at, position }));
  }
}
