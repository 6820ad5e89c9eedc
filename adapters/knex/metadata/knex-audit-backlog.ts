import type { AuditBacklog } from '../../../application/ports/audit/audit-backlog.ts';
import type { CarriedEntry } from '../../../domain/audit/carried-entry.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { workUsageOf } from '../../../domain/usage/work-usage.ts';
import { workNewsOf } from '../../../domain/work/work-hint.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

interface Announcement {
  readonly organizationId: string;
  readonly writer: string;
}

/** From 1 to 100 hundredths, also where somebody wrote other settings by hand. */
const WEIGHT = `select least(greatest((settings ->> 'work_weight')::numeric, 1), 100) / 100 from settings
  where org_id = ? and jsonb_typeof(settings -> 'work_weight') = 'number'`;

// The caller has locked the entries in the outbox, so no other process delivers them at the same time. One exception is
// the last statement of a process that died: when it commits, this one fails with a unique violation, and the next
// attempt finds the entries delivered.
//
// Only entries that arrive count as usage and set hints, and in the same statement: once each, wherever a process dies. Versions are drawn after
// the trail has locked the organization's chain, so they rise in the order of the deliveries. An organization without jobs
// that wait joins those that have some at the least that any of them got: nobody saves up. Decision 0048.
const deliver = statement<{ organizationId: string; entries: string; news: string; usage: string }>(
  'audit_deliver',
  (p) =>
    sql.raw(
      `with arrived as (
       insert into audit_logs (audit_id, org_id, user_id, action, entity_type, entity_id, details, request_id, address, ts)
       select audit_id, ?, user_id, action, entity_type, entity_id, details, request_id, address, ts
       from rows from (jsonb_to_recordset(?::jsonb) as (
         audit_id uuid, user_id text, action text, entity_type text, entity_id text, details jsonb,
         request_id text, address text, ts timestamptz(3)
       )) with ordinality as entry (
         audit_id, user_id, action, entity_type, entity_id, details, request_id, address, ts, number
       )
       where not exists (select from audit_logs known where known.audit_id = entry.audit_id)
       order by number
       returning audit_id
     ), used as (
       insert into usage_daily (org_id, day, jobs, core_seconds)
       select ?, day, sum(jobs), sum(core_seconds)
       from arrived join jsonb_to_recordset(?::jsonb) as used
         (audit_id uuid, day date, jobs int, core_seconds float8) using (audit_id)
       group by day order by day
       on conflict (org_id, day) do update set
         jobs = usage_daily.jobs + excluded.jobs, core_seconds = usage_daily.core_seconds + excluded.core_seconds
     ), told as materialized (
       select engine, sum(waiting)::int as waiting, min(since) as since, min(due_at) as due_at,
         sum(served) / coalesce((${WEIGHT}), 1) as served
       from arrived join jsonb_to_recordset(?::jsonb) as news
         (audit_id uuid, engine text, waiting int, served float8, since timestamptz, due_at timestamptz) using (audit_id)
       group by engine
     )
     insert into work_hints (org_id, engine, version, waiting, oldest_at, next_due_at, served)
     select ?, engine, nextval('work_hints_version_seq'), greatest(waiting, 0), since, due_at,
       coalesce((select min(h.served) from work_hints h where h.engine = told.engine and h.waiting > 0), 0) + served
     from told order by engine
     on conflict (org_id, engine) do update set
       version = excluded.version,
       waiting = least(greatest(
         work_hints.waiting::bigint + (select waiting from told where engine = excluded.engine), 0), 2147483647),
       oldest_at = least(work_hints.oldest_at, excluded.oldest_at),
       next_due_at = least(work_hints.next_due_at, excluded.next_due_at),
       served = greatest(
         work_hints.served + (select served from told where engine = excluded.engine),
         case when work_hints.waiting = 0 then excluded.served end
       )`,
      [
        p('organizationId'),
        p('entries'),
        p('organizationId'),
        p('usage'),
        p('organizationId'),
        p('news'),
        p('organizationId'),
      ],
    ),
);

const announce = statement<Announcement>('audit_announce', (p) =>
  sql('audit_backlogs')
    .insert({ org_id: p('organizationId'), writer: p('writer') })
    .onConflict(['org_id', 'writer'])
    .merge({ touched_at: sql.raw('now()') }),
);

const withdraw = statement<Announcement>('audit_withdraw', (p) =>
  sql('audit_backlogs')
    .where({ org_id: p('organizationId'), writer: p('writer') })
    .delete(),
);

/** A process that takes over relays this many organizations' entries before it takes more. */
const MOST_RECLAIMED = 20;

const reclaim = statement<{ writer: string; silentForMs: number }, { org_id: OrganizationId }>(
  'audit_adopt',
  (p) =>
    sql.raw(
      `with gone as (
         delete from audit_backlogs where (org_id, writer) in (
           select org_id, writer from audit_backlogs
           where touched_at < now() - ?::double precision * interval '1 millisecond'
           order by touched_at limit ${MOST_RECLAIMED} for update skip locked
         )
         returning org_id
       )
       insert into audit_backlogs (org_id, writer) select distinct org_id, ?::uuid from gone
       on conflict (org_id, writer) do update set touched_at = now()
       returning org_id`,
      [p('silentForMs'), p('writer')],
    ),
);

/** Where entries of results arrive, once each, count as usage, and set hints at work. Decisions 0015, 0048 and 0058. */
export class KnexAuditBacklog implements AuditBacklog {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async deliver(organizationId: OrganizationId, entries: readonly CarriedEntry[]): Promise<void> {
    const rows = entries.map((entry) => ({
      audit_id: entry.auditId,
      user_id: entry.userId,
      action: entry.action,
      entity_type: entry.entityType,
      entity_id: entry.entityId,
      details: entry.details,
      request_id: entry.requestId,
      address: entry.address ?? null,
      ts: entry.at.toISOString(),
    }));
    const news = entries.flatMap((entry) =>
      workNewsOf(entry).map(({ dueAt, ...told }) => ({ ...told, audit_id: entry.auditId, due_at: dueAt })),
    );
    const usage = entries.flatMap((entry) => {
      const used = workUsageOf(entry);
      if (used === null) return [];
      return { audit_id: entry.auditId, day: used.day, jobs: used.jobs, core_seconds: used.coreSeconds };
    });
    await this.#executor.query(
      deliver({
        organizationId,
        entries: JSON.stringify(rows),
        usage: JSON.stringify(usage),
        news: JSON.stringify(news),
      }),
    );
  }

  async announce(organizationId: OrganizationId, writer: string): Promise<void> {
    await this.#executor.query(announce({ organizationId, writer }));
  }

  async withdraw(organizationId: OrganizationId, writer: string): Promise<void> {
    await this.#executor.query(withdraw({ organizationId, writer }));
  }

  async reclaimFromDead(writer: string, silentForMs: number): Promise<readonly OrganizationId[]> {
    const rows = await this.#executor.query(reclaim({ writer, silentForMs }));
    return rows.map(({ org_id: organizationId }) => organizationId);
  }
}
