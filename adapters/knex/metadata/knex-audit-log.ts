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

/**
 * The moments that RFC 3339 and the cursors of lists can write. What is stored may lie outside, or nowhere at all
 * ('infinity'), and is shown as the nearest of them.
 */
const FIRST_MOMENT = new Date(0);
const LAST_MOMENT = new Date('9999-12-31T23:59:59.999Z');
/** SQL for the moment of an entry as it is shown. */
export const SHOWN_MOMENT = `least(greatest(ts, '${FIRST_MOMENT.toISOString()}'), '${LAST_MOMENT.toISOString()}')`;

const listEntries = sizedList<AuditRow>('audit_list', {
  table: 'audit_logs',
  columns: COLUMNS,
  shown: { at: SHOWN_MOMENT },
  json: { details: 'details' },
  order: ['ts', 'position'],
  direction: 'desc',
});

const storedMoment = statement<
  { organizationId: OrganizationId | null; position: string },
  { moment: string }
>('audit_stored_moment', (p) =>
  sql('audit_logs')
    .select(sql.raw('ts::text as moment'))
    .whereRaw('org_id is not distinct from ?', [p('organizationId')])
    .where('position', p('position')),
);

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
    const key = after === null ? null : [await this.#momentOf(organizationId, after), after.position];
    const rows = await this.#executor.query(listEntries(filter, { after: key, ...part }));
    return toPart(
      rows,
      ({ details, ...row }) => ({ details: new JsonText(details), ...row }),
      ({ at, position }) => ({ at, position }),
    );
  }

  /** The outermost moments may stand for others: then the entry itself says where it is. */
  async #momentOf(organizationId: OrganizationId | null, { at, position }: AuditKey): Promise<string> {
    if (at > FIRST_MOMENT && at < LAST_MOMENT) return at.toISOString();
    const [entry] = await this.#executor.query(storedMoment({ organizationId, position }));
    return entry?.moment ?? at.toISOString();
  }
}
