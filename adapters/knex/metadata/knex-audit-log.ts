import type { AuditEntry, AuditEvent, AuditKey, AuditLog } from '../../../domain/audit/audit-log.ts';
import { boundedDetails } from '../../../domain/audit/bounded-details.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { JsonText } from '../../../domain/json-text.ts';
import type { PagePart, PartRequest } from '../../../domain/page.ts';
import { sizedList, toPart } from '../sized-list.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

const COLUMNS = {
  /** A bigint, which the driver gives as text. */
  position: 'position',
  auditId: 'audit_id',
  organizationId: 'org_id',
  userId: 'user_id',
  action: 'action',
  entityType: 'entity_type',
  entityId: 'entity_id',
  requestId: 'request_id',
  address: 'address',
  at: 'ts',
} as const satisfies Record<keyof Omit<AuditEntry, 'details'>, string>;

interface AuditRow extends Omit<AuditEntry, 'details'> {
  /** JSON. */
  readonly details: string;
}

const listEntries = sizedList<AuditRow>('audit_list', {
  table: 'audit_logs',
  columns: COLUMNS,
  json: { details: 'details' },
  order: ['ts', 'position'],
  direction: 'desc',
});

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

export class KnexAuditLog implements AuditLog {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async append(event: AuditEvent): Promise<void> {
    await this.#executor.query(
      append({
        ...event,
        address: event.address ?? null,
        json: JSON.stringify(boundedDetails(event.details)),
      }),
    );
  }

  async list(
    organizationId: OrganizationId | null,
    { action }: { readonly action: string | null },
    { after, ...part }: PartRequest<AuditKey>,
  ): Promise<PagePart<AuditEntry, AuditKey>> {
    const filter = { org_id: organizationId, ...(action !== null && { action }) };
    const key = after === null ? null : [after.at.toISOString(), after.position];
    const rows = await this.#executor.query(listEntries(filter, { after: key, ...part }));
    return toPart(
      rows,
      ({ details, ...row }) => ({ details: new JsonText(details), ...row }),
      ({ at, position }) => ({ at, position }),
    );
  }
}
