import type { AuditOutbox, OutboxBatch } from '../../../application/ports/audit/audit-outbox.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

const take = statement<{ limit: number }, OutboxBatch>('audit_outbox_take', (p) =>
  sql.raw(
    `with taken as (
       delete from audit_outbox where position in (
         select position from audit_outbox order by position limit ? for update skip locked
       )
       returning *
     )
     select count(*)::int as count,
       coalesce(jsonb_agg(to_jsonb(t) - 'position' order by position), '[]')::text as entries
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
    return batch;
  }
}
