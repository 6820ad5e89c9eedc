import type { AuditOutbox, OutboxEntry } from '../../../application/ports/audit-outbox.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

interface OutboxRow {
  /** bigint: text to the driver. */
  readonly position: string;
  readonly entry: OutboxEntry['entry'];
}

const take = statement<{ limit: number }, OutboxRow>('audit_outbox_take', (p) =>
  sql.raw(
    `select position, to_jsonb(o) - 'position' as entry from audit_outbox o
     order by position limit ? for update skip locked`,
    [p('limit')],
  ),
);

const remove = statement<{ positions: readonly string[] }>('audit_outbox_remove', (p) =>
  sql.raw('delete from audit_outbox where position = any(?::bigint[])', [p('positions')]),
);

export class KnexAuditOutbox implements AuditOutbox {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async take(limit: number): Promise<readonly OutboxEntry[]> {
    return this.#executor.query(take({ limit }));
  }

  async remove(entries: readonly OutboxEntry[]): Promise<void> {
    await this.#executor.query(remove({ positions: entries.map(({ position }) => position) }));
  }
}
