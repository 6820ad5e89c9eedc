import { HISTORY_TABLE } from '../migrations/migrator.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';

export interface TableLock {
  readonly table: string;
  readonly mode: string;
}

/** Modes of table locks, weakest first. Without `AccessShareLock`, which every read takes. */
const MODES = [
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
];

const TABLES = `
  select c.oid, c.relname as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and c.relname !~ '^${HISTORY_TABLE}'`;

/** Records the strongest lock that migrations hold on each existing table at the end of their transactions. */
export class LockObserver {
  readonly #strongest = new Map<string, string>();
  #present: readonly number[] = [];

  get locks(): readonly TableLock[] {
    return [...this.#strongest].map(([table, mode]) => ({ table, mode }));
  }

  /**
   * Call it before the transaction. It lists the existing tables: no request waits for one that the migration
   * creates.
   */
  async before(connection: PgConnection): Promise<void> {
    const rows = await connection.query<{ oid: number }>({ text: TABLES, values: [] });
    this.#present = rows.map(({ oid }) => oid);
  }

  /** Call it at the end of the transaction, before the commit releases the locks. */
  async after(connection: PgConnection): Promise<void> {
    const rows = await connection.query<TableLock>({
      text: `select t.table, l.mode from pg_locks l join (${TABLES}) t on t.oid = l.relation
             where l.pid = pg_backend_pid() and t.oid = any($1::oid[])`,
      values: [this.#present],
    });
    for (const { table, mode } of rows) {
      if (MODES.indexOf(mode) > MODES.indexOf(this.#strongest.get(table) ?? '')) {
        this.#strongest.set(table, mode);
      }
    }
  }
}
