import type { SpareDatabase } from '../../../application/ports/databases/provisioning-ledger.ts';
import type { SpareLedger, TemplateRecord } from '../../../application/ports/databases/spare-ledger.ts';
import {
  DEMAND_WINDOW_MS,
  isSpareWanted,
  SURPLUS_WINDOW_MS,
  wantedSpares,
  type SpareDemand,
} from '../../../domain/databases/spare-demand.ts';
import { SPARE_COLUMNS, toSpare, type SpareRow } from './database-ledger-rows.ts';
import { forgetSpare, insertSpare } from './database-ledger-statements.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

/** Far longer than the pause between two heartbeats of a process. */
const UNUSED_AFTER = `interval '10 minutes'`;

interface TemplateRow {
  readonly template_hash: string;
  readonly database_name: string;
  readonly schema_version: number;
}

const touchTemplate = statement<TemplateRecord>('template_touch', (p) =>
  sql('results_templates')
    .insert({
      template_hash: p('hash'),
      database_name: p('databaseName'),
      schema_version: p('schemaVersion'),
    })
    .onConflict('template_hash')
    // The name changes with DB_RESULTS_DB_TEMPLATE: on the books is the one that is cloned now.
    .merge({ database_name: sql.raw('excluded.database_name'), last_used_at: sql.raw('now()') }),
);

// A spare that carries an organization's stamp is being built by that organization's saga.
const findUnfinished = statement<{ templateHash: string }, SpareRow>('spare_find_unfinished', (p) =>
  sql('spare_databases')
    .select(SPARE_COLUMNS)
    .where({ state: 'building', template_hash: p('templateHash') })
    .whereNotExists(
      sql('organization_databases').select(sql.raw('1')).whereRaw('stamp = spare_databases.spare_id'),
    )
    .orderBy('created_at')
    .limit(1),
);

const countForDemand = statement<
  { templateHash: string; windowMs: number },
  { ready: string; newcomers: string }
>('spare_count_for_demand', (p) =>
  sql.raw(
    `select
       (select count(*) from spare_databases where state = 'ready' and template_hash = ?) as ready,
       (select count(*) from organization_databases where created_at > now() - ?::int * interval '1 ms') as newcomers`,
    [p('templateHash'), p('windowMs')],
  ),
);

const markReady = statement<{ spareId: string }>('spare_mark_ready', (p) =>
  sql('spare_databases')
    .where({ spare_id: p('spareId'), state: 'building' })
    .update({ state: 'ready', updated_at: sql.raw('now()') }),
);

const retire = statement<{ spareId: string }>('spare_retire', (p) =>
  sql('spare_databases')
    .where({ spare_id: p('spareId'), state: 'building' })
    .update({ state: 'retired', updated_at: sql.raw('now()') }),
);

// The oldest ones are kept: a claim takes the oldest.
const retireStale = statement<{ hash: string; keep: number }, SpareRow>('spare_retire_stale', (p) =>
  sql.raw(
    `with surplus as (
       select spare_id from spare_databases where state = 'ready' and template_hash = ?
       order by created_at offset ?::int
     ), unused as (
       select spare_id from spare_databases left join results_templates using (template_hash)
       where state in ('ready', 'building') and template_hash <> ?
         and coalesce(last_used_at, '-infinity') < now() - ${UNUSED_AFTER}
         and not exists (select from organization_databases where stamp = spare_id)
     )
     update spare_databases set state = 'retired', updated_at = now()
     where (spare_id in (table surplus) or spare_id in (table unused) or state = 'retired') and state <> 'claimed'
     returning ${SPARE_COLUMNS.join(', ')}`,
    [p('hash'), p('keep'), p('hash')],
  ),
);

const listUnusedTemplates = statement<{ hash: string }, TemplateRow>('template_list_unused', (p) =>
  sql('results_templates')
    .select('template_hash', 'database_name', 'schema_version')
    .whereNot('template_hash', p('hash'))
    .whereRaw(`last_used_at < now() - ${UNUSED_AFTER}`)
    .whereNotIn('template_hash', sql('spare_databases').select('template_hash')),
);

const forgetUnusedTemplate = statement<{ hash: string }, { template_hash: string }>('template_forget', (p) =>
  sql('results_templates')
    .where('template_hash', p('hash'))
    .whereRaw(`last_used_at < now() - ${UNUSED_AFTER}`)
    .delete()
    .returning('template_hash'),
);

const countReady = statement<object, { ready: string }>('spare_count_ready', () =>
  sql('spare_databases').where('state', 'ready').count({ ready: '*' }),
);

const listIds = statement<object, { spare_id: string }>('spare_list_ids', () =>
  sql('spare_databases').select('spare_id').orderBy('created_at'),
);

const listNames = statement<object, { database_name: string }>('spare_list_names', () =>
  sql('spare_databases').select('database_name').unionAll(sql('results_templates').select('database_name')),
);

export class KnexSpareLedger implements SpareLedger {
  readonly #database: SqlExecutor;

  constructor(database: SqlExecutor) {
    this.#database = database;
  }

  async touchTemplate(template: TemplateRecord): Promise<void> {
    await this.#database.query(touchTemplate(template));
  }

  async plan(fresh: SpareDatabase, demand: SpareDemand): Promise<SpareDatabase | null> {
    const { templateHash } = fresh;
    const [unfinished] = await this.#database.query(findUnfinished({ templateHash }));
    if (unfinished !== undefined) return toSpare(unfinished);
    if (!isSpareWanted(demand, await this.#countForDemand(templateHash, DEMAND_WINDOW_MS))) return null;
    await this.#database.query(insertSpare({ ...fresh, state: 'building' }));
    return fresh;
  }

  async markReady(spareId: string): Promise<void> {
    await this.#database.query(markReady({ spareId }));
  }

  async retireStale({ hash }: TemplateRecord, demand: SpareDemand): Promise<readonly SpareDatabase[]> {
    const { newcomers } = await this.#countForDemand(hash, SURPLUS_WINDOW_MS);
    const rows = await this.#database.query(retireStale({ hash, keep: wantedSpares(demand, newcomers) }));
    return rows.map(toSpare);
  }

  async retire(spareId: string): Promise<void> {
    await this.#database.query(retire({ spareId }));
  }

  async forget(spareId: string): Promise<void> {
    await this.#database.query(forgetSpare({ spareId }));
  }

  async listUnusedTemplates({ hash }: TemplateRecord): Promise<readonly TemplateRecord[]> {
    const rows = await this.#database.query(listUnusedTemplates({ hash }));
    return rows.map((row) => ({
      hash: row.template_hash,
      databaseName: row.database_name,
      schemaVersion: row.schema_version,
    }));
  }

  async forgetUnusedTemplate(hash: string): Promise<boolean> {
    return (await this.#database.query(forgetUnusedTemplate({ hash }))).length > 0;
  }

  async countReady(): Promise<number> {
    const [row] = await this.#database.query(countReady({}));
    return Number(row?.ready ?? 0);
  }

  async listIds(): Promise<readonly string[]> {
    const rows = await this.#database.query(listIds({}));
    return rows.map((row) => row.spare_id);
  }

  async listNames(): Promise<readonly string[]> {
    const rows = await this.#database.query(listNames({}));
    return rows.map((row) => row.database_name);
  }

  async #countForDemand(
    templateHash: string,
    windowMs: number,
  ): Promise<{ readonly ready: number; readonly newcomers: number }> {
    const [row] = await this.#database.query(countForDemand({ templateHash, windowMs }));
    if (row === undefined) throw new Error('a count returned no row');
    return { ready: Number(row.ready), newcomers: Number(row.newcomers) };
  }
}
