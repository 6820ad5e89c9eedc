import type { HintReach, WorkHints } from '../../../application/ports/work/work-hints.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { WorkHint, WorkLook } from '../../../domain/work/work-hint.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';
import { isUuid } from '../uuid.ts';

interface HintRow {
  readonly org_id: OrganizationId;
  readonly engine: string;
  readonly waiting: number;
  readonly oldest_at: Date | null;
  /** A bigint, which the driver gives as text. */
  readonly version: string;
  readonly place: string;
}

const PUT_OFF = `interval '2 seconds' / greatest(1, h.waiting / 10.0)`;

const take = statement<
  {
    engines: readonly string[] | null;
    organizationId: string | null;
    fleetId: string | null;
    limit: number;
  },
  HintRow
>('work_hint_take', (p) =>
  sql.raw(
    `with due as materialized (
       select h.org_id, h.engine, row_number() over (order by h.served, h.oldest_at, h.org_id, h.engine) as place
       from (
         select h.* from work_hints h join organizations o on o.org_id = h.org_id and o.status = 'active'
         where h.next_due_at <= now() and (?::text[] is null or h.engine = any(?::text[]))
         and (h.org_id = ?::text or exists (
           select from memberships m
           where m.user_id = ?::uuid and m.org_id = h.org_id and 'worker' = any(m.roles)
         ))
         order by h.served, h.oldest_at, h.org_id, h.engine limit ? for update of h skip locked
       ) h
     )
     update work_hints h set next_due_at = now() + ${PUT_OFF}
     from due where h.org_id = due.org_id and h.engine = due.engine
     returning h.org_id, h.engine, h.waiting, h.oldest_at, h.version, due.place`,
    [p('engines'), p('engines'), p('organizationId'), p('fleetId'), p('limit')],
  ),
);

/** A job that waits and was not to be had is locked, or above a quota: that passes. */
const LATER = `interval '5 seconds'`;

// The rows are locked in one order, in which the relay sets them too.
const settle = statement<WorkLook & { organizationId: string }>('work_hint_settle', (p) =>
  sql.raw(
    `with look as materialized (
       select ?::boolean as is_waiting, ?::double precision as due_in_seconds
     ), looked as materialized (
       select h.org_id, h.engine from work_hints h
       where h.org_id = ? and h.engine = any(?::text[]) and h.version <= ?::bigint order by h.engine for update
     ), cleared as (
       delete from work_hints h using looked, look
       where h.org_id = looked.org_id and h.engine = looked.engine and not is_waiting and due_in_seconds is null
     )
     update work_hints h set
       next_due_at = now() + case when is_waiting then ${LATER} else make_interval(secs => greatest(due_in_seconds, 1)) end,
       waiting = case when is_waiting then h.waiting else 0 end,
       oldest_at = case when is_waiting then h.oldest_at end
     from looked, look
     where h.org_id = looked.org_id and h.engine = looked.engine and (is_waiting or due_in_seconds is not null)`,
    [p('isWaiting'), p('dueInSeconds'), p('organizationId'), p('engines'), p('version')],
  ),
);

/** Decision 0048. */
export class KnexWorkHints implements WorkHints {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async take(
    reach: HintReach,
    query: { readonly engines: readonly string[] | null; readonly limit: number },
  ): Promise<readonly WorkHint[]> {
    const [organizationId, fleetId] =
      'fleetId' in reach ? [null, reach.fleetId] : [reach.organizationId, null];
    if (fleetId !== null && !isUuid(fleetId)) return [];
    const rows = await this.#executor.query(take({ ...query, organizationId, fleetId }));
    return rows.toSorted((a, b) => Number(a.place) - Number(b.place)).map(toHint);
  }

  async settle(organizationId: OrganizationId, look: WorkLook): Promise<void> {
    await this.#executor.query(settle({ organizationId, ...look }));
  }
}

const toHint = (row: HintRow): WorkHint => ({
  organizationId: row.org_id,
  engine: row.engine,
  waiting: row.waiting,
  oldestAt: row.oldest_at,
  version: Number(row.version),
});
