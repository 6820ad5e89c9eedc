import {
  EVERY_TRAIL,
  type AuditEntry,
  type AuditEvent,
  type AuditFilter,
  type AuditKey,
  type AuditLog,
  type TrailScope,
} from '../../../domain/audit/audit-log.ts';
import { keptDetails } from '../../../domain/audit/bounded-details.ts';
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

const listEntries = sizedList<AuditRow>('audit', {
  table: 'audit_logs',
  columns: COLUMNS,
  shown: { at: SHOWN_MOMENT },
  json: { details: 'details' },
  // Without it, a search for what is rare would go on to the beginning of the trail.
  ranges: { from: ['ts', '>='] },
  order: ['ts', 'position'],
  direction: 'desc',
});

const storedMoment = statement<{ position: string }, { org_id: string | null; moment: string }>(
  'audit_stored_moment',
  (p) => sql('audit_logs').select('org_id', sql.raw('ts::text as moment')).where('position', p('position')),
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
        json: JSON.stringify(keptDetails(event)),
      }),
    );
  }

  async list(
    scope: TrailScope,
    { from = null, to = null, ...filter }: AuditFilter,
    { after, ...part }: PartRequest<AuditKey>,
  ): Promise<PagePart<AuditEntry, AuditKey>> {
    const { action, userId = null, entityId = null, requestId = null } = filter;
    const columns = {
      ...(scope !== EVERY_TRAIL && { org_id: scope }),
      ...(action !== null && { action }),
      ...(userId !== null && { user_id: userId }),
      ...(entityId !== null && { entity_id: entityId }),
      ...(requestId !== null && { request_id: requestId }),
      // What lies before all moments is shown as the first of them.
      ...(from !== null && from > FIRST_MOMENT && { from: from.toISOString() }),
    };
    const rows = await this.#executor.query(
      listEntries(columns, { after: await this.#keyOf(scope, after, to), ...part }),
    );
    return toPart(
      rows,
      ({ details, ...row }) => ({ details: new JsonText(details), ...row }),
      ({ at, position }: AuditRow | AuditEntry): AuditKey => ({ at, position }),
    );
  }

  /** The key that the list goes on after: entries of one moment have positions from 1. */
  async #keyOf(
    scope: TrailScope,
    after: AuditKey | null,
    to: Date | null,
  ): Promise<readonly string[] | null> {
    if (after !== null) return [await this.#momentOf(scope, after), after.position];
    return to === null ? null : [to.toISOString(), '0'];
  }

  /** The outermost moments may stand for others: then the entry itself says where it is. */
  async #momentOf(scope: TrailScope, { at, position }: AuditKey): Promise<string> {
    if (at > FIRST_MOMENT && at < LAST_MOMENT) return at.toISOString();
    const [entry] = await this.#executor.query(storedMoment({ position }));
    // A position that another trail has leads nowhere in this one.
    const isOfTrail = scope === EVERY_TRAIL || entry?.org_id === scope;
    return (isOfTrail ? entry?.moment : undefined) ?? at.toISOString();
  }
}
