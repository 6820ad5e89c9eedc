import type { AuditBacklog } from '../../../application/ports/audit/audit-backlog.ts';
import type { CarriedEntry } from '../../../domain/audit/carried-entry.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

interface Announcement {
  readonly organizationId: string;
  readonly writer: string;
}

// The caller has locked the entries in the outbox, so no other process delivers them at the same time. One exception is
// the last statement of a process that died: when it commits, this one fails with a unique violation, and the next
// attempt finds the entries delivered.
const deliver = statement<{ organizationId: string; entries: string }>('audit_deliver', (p) =>
  sql.raw(
    `insert into audit_logs (audit_id, org_id, user_id, action, entity_type, entity_id, details, request_id, address, ts)
     select audit_id, ?, user_id, action, entity_type, entity_id, details, request_id, address, ts
     from rows from (jsonb_to_recordset(?::jsonb) as (
       audit_id uuid, user_id text, action text, entity_type text, entity_id text, details jsonb,
       request_id text, address text, ts timestamptz(3)
     )) with ordinality as entry (
       audit_id, user_id, action, entity_type, entity_id, details, request_id, address, ts, number
     )
     where not exists (select from audit_logs known where known.audit_id = entry.audit_id)
     order by number`,
    [p('organizationId'), p('entries')],
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

/** Where entries of results arrive, once each. Decision 0015. */
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
    await this.#executor.query(deliver({ organizationId, entries: JSON.stringify(rows) }));
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
