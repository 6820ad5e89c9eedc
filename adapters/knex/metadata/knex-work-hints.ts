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
  readonly served: number;
}

const PUT_OFF = `interval '2 seconds' / greatest(1, h.waiting / 10.0)`;

interface Query {
  readonly engines: readonly string[] | null;
  readonly limit: number;
}

/** @param reach which hints `h` the caller may see */
const takeWithin = (reach: string) => `with due as materialized (
    select h.org_id, h.engine from work_hints h
    join organizations o on o.org_id = h.org_id and o.status = 'active'
    where ${reach} and h.next_due_at <= now() and (?::text[] is null or h.engine = any(?::text[]))
    order by h.served, h.oldest_at limit ? for update of h skip locked
  )
  update work_hints h set next_due_at = now() + ${PUT_OFF}
  from due where h.org_id = due.org_id and h.engine = due.engine
  returning h.org_id, h.engine, h.waiting, h.oldest_at, h.version, h.served`;

const takeOfOrganization = statement<Query & { organizationId: string }, HintRow>('work_hint_take', (p) =>
  sql.raw(takeWithin('h.org_id = ?'), [p('organizationId'), p('engines'), p('engines'), p('limit')]),
);

const takeOfFleet = statement<Query & { fleetId: string }, HintRow>('work_hint_take_of_fleet', (p) =>
  sql.raw(
    takeWithin(`exists (
      select from memberships m where m.user_id = ? and m.org_id = h.org_id and 'worker' = any(m.roles)
    )`),
    [p('fleetId'), p('engines'), p('engines'), p('limit')],
  ),
);

/** What an update returns has no order. */
const byTurn = (a: HintRow, b: HintRow): number =>
  a.served - b.served || (a.oldest_at?.getTime() ?? Infinity) - (b.oldest_at?.getTime() ?? Infinity);

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

  async take(reach: HintReach, query: Query): Promise<readonly WorkHint[]> {
    if ('fleetId' in reach && !isUuid(reach.fleetId)) return [];
    const statementOf =
      'fleetId' in reach ? takeOfFleet({ ...query, ...reach }) : takeOfOrganization({ ...query, ...reach });
    const rows = await this.#executor.query(statementOf);
    return rows.toSorted(byTurn).map(toHint);
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
