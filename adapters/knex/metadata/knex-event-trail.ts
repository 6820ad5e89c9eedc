import type { EventRange, EventTrail, TrailNews } from '../../../domain/events/event-trail.ts';
import { isEventType, readJobEvent, type JobEvent } from '../../../domain/events/job-event.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';
import { SHOWN_MOMENT } from './knex-audit-log.ts';

interface EntryRow {
  readonly auditId: string;
  /** A bigint, which the driver gives as text. */
  readonly position: string;
  readonly action: string;
  readonly entityType: string;
  readonly entityId: string;
  /** JSON. */
  readonly details: string;
  readonly at: Date;
}

/** Longer details, as text, are no job's: the service cuts what it writes to half of it. It bounds a page at 3 MiB. */
const MAX_DETAILS_BYTES = 16_384;

const ENTRY = `audit_id as "auditId", position, action, entity_type as "entityType", entity_id as "entityId",
  case when octet_length(details::text) <= ${MAX_DETAILS_BYTES} then details else '{}' end::text as details,
  ${SHOWN_MOMENT} as at`;

interface ListValues extends EventRange {
  readonly organizationId: OrganizationId;
}

// A walk along the index for each type: so a rare one is found as quickly as a frequent one. Only the page itself is read
// from the table.
const list = statement<ListValues, EntryRow>(
  'event_list',
  (p) =>
    sql.raw(
      `select ${ENTRY} from audit_logs where position in (
         select found.position from unnest(?::text[]) as wanted (action) cross join lateral (
           select position from audit_logs
           where org_id = ? and action = wanted.action and position > ?::bigint order by position limit ?
         ) as found order by found.position limit ?
       ) order by position`,
      [p('types'), p('organizationId'), p('after'), p('limit'), p('limit')],
    ),
  { readOnly: true },
);

const latestPosition = statement<{ organizationId: OrganizationId }, { position: string }>(
  'event_latest_position',
  (p) =>
    sql('audit_logs')
      .select('position')
      .where('org_id', p('organizationId'))
      .orderBy('position', 'desc')
      .limit(1),
);

interface NewsRow extends EntryRow {
  readonly organizationId: OrganizationId;
}

const listNews = statement<
  { ids: readonly OrganizationId[]; positions: readonly number[]; limit: number },
  NewsRow
>(
  'event_list_news',
  (p) =>
    sql.raw(
      `select followed.org_id as "organizationId", entry.*
       from unnest(?::text[], ?::bigint[]) as followed (org_id, head) cross join lateral (
         select ${ENTRY} from audit_logs
         where org_id = followed.org_id and position > followed.head order by position limit ?
       ) as entry order by entry.position`,
      [p('ids'), p('positions'), p('limit')],
    ),
  { readOnly: true },
);

/** Reads events where the audit trail is. Decision 0050. */
export class KnexEventTrail implements EventTrail {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async list(organizationId: OrganizationId, range: EventRange): Promise<readonly JobEvent[]> {
    const rows = await this.#executor.query(list({ organizationId, ...range }));
    return rows.flatMap((row) => eventOf(row) ?? []);
  }

  async latestPosition(organizationId: OrganizationId): Promise<number> {
    const [row] = await this.#executor.query(latestPosition({ organizationId }));
    return Number(row?.position ?? 0);
  }

  async listNews(heads: ReadonlyMap<OrganizationId, number>, limit: number): Promise<readonly TrailNews[]> {
    const values = { ids: [...heads.keys()], positions: [...heads.values()], limit };
    const byOrganization = new Map<OrganizationId, NewsRow[]>();
    for (const row of await this.#executor.query(listNews(values))) {
      const rows = byOrganization.get(row.organizationId) ?? [];
      rows.push(row);
      byOrganization.set(row.organizationId, rows);
    }
    return Array.from(byOrganization, ([organizationId, rows]) => ({
      organizationId,
      events: rows.flatMap((row) => eventOf(row) ?? []),
      head: Number(rows.at(-1)?.position),
      isCut: rows.length === limit,
    }));
  }
}

const eventOf = ({ action, position, details, ...row }: EntryRow): JobEvent | null => {
  if (!isEventType(action)) return null;
  // A column of `jsonb` that the service writes objects into. Of an array or a number no member is read.
  const parsed = JSON.parse(details) as Readonly<Record<string, unknown>> | null;
  return readJobEvent({ ...row, action, position: Number(position), details: parsed ?? {} });
};
