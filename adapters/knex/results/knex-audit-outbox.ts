import type { AuditOutbox, OutboxBatch } from '../../../application/ports/audit/audit-outbox.ts';
import { MAX_CARRIED_DETAILS_BYTES, MAX_CARRIED_TEXT_LENGTH } from '../../../domain/audit/carried-entry.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

const LENGTH = MAX_CARRIED_TEXT_LENGTH;

/** Deeper ones are more than the stack of a process, or of the server that they are brought to, may take. No entry has five. */
const MAX_LEVELS = 64;

const take = statement<{ limit: number }, { count: number; rows: string }>('audit_outbox_take', (p) =>
  sql.raw(
    `with taken as (
       delete from audit_outbox where position in (
         select position from audit_outbox order by position limit ? for update skip locked
       )
       returning *
     )
     select count(*)::int as count,
       coalesce(jsonb_agg(jsonb_build_object(
         'audit_id', audit_id, 'user_id', left(user_id, ${LENGTH}), 'action', left(action, ${LENGTH}),
         'entity_type', left(entity_type, ${LENGTH}), 'entity_id', left(entity_id, ${LENGTH}),
         'details', case when octet_length(details::text) <= ${MAX_CARRIED_DETAILS_BYTES}
           and not jsonb_path_exists(details, '$.**{${MAX_LEVELS}}') then details end,
         'request_id', left(request_id, ${LENGTH}), 'address', left(address, ${LENGTH}), 'ts', ts
       ) order by position), '[]')::text as rows
     from taken t`,
    [p('limit')],
  ),
);

export class KnexAuditOutbox implements AuditOutbox {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async take(limit: number): Promise<OutboxBatch> {
    const [batch] = await this.#executor.query(take({ limit }));
    if (batch === undefined) throw new Error('an aggregate without a row');
    // PostgreSQL writes an array here.
    return { count: batch.count, rows: JSON.parse(batch.rows) as readonly unknown[] };
  }
}
