import type { SpareDatabase } from '../../../application/ports/databases/provisioning-ledger.ts';
import type { SpareLedger, TemplateRecord } from '../../../application/ports/databases/spare-ledger.ts';
import type { ServerId, ServerStatus } from '../../../domain/databases/server.ts';
import {
  DEMAND_WINDOW_MS,
  demandOn,
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
  readonly server_id: ServerId;
  readonly database_name: string;
  readonly schema_version: number;
}

// The server is recorded with its first template: programs make databases that never start the service. The name changes
// with DB_RESULTS_DB_TEMPLATE: the record has that of the database that is cloned now.
const touchTemplate = statement<TemplateRecord>('template_touch', (p) =>
  sql.raw(
    `with server as (insert into results_servers (server_id) values (?) on conflict do nothing)
     insert into results_templates (template_hash, server_id, database_name, schema_version) values (?, ?, ?, ?)
     on conflict (template_hash) do update set database_name = excluded.database_name, last_used_at = now()`,
    [p('serverId'), p('hash'), p('serverId'), p('databaseName'), p('schemaVersion')],
  ),
);

// A spare whose id is the stamp of an organization's record is built by that organization's provisioning.
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

interface DemandFacts {
  /** Spares of the template that can be claimed. */
  readonly ready: number;
  /** Organizations whose database was first asked for on the server within the window. */
  readonly newcomers: number;
  readonly status: ServerStatus;
}

const countForDemand = statement<{ templateHash: string; serverId: string; windowMs: number }, DemandFacts>(
  'spare_count_for_demand',
  (p) =>
    sql.raw(
      `select status,
         (select count(*)::int from spare_databases where state = 'ready' and template_hash = ?) as ready,
         (select count(*)::int from organization_databases d where d.server_id = s.server_id
            and created_at > now() - ?::int * interval '1 ms') as newcomers
       from results_servers s where server_id = ?`,
      [p('templateHash'), p('windowMs'), p('serverId')],
    ),
);

const markReady = statement<{ spareId: string }>('spare_mark_ready', (p) =>
  sql('spare_databases')
    .where({ spare_id: p('spareId'), state: 'building' })
    .update({ state: 'ready', updated_at: sql.raw('now()') }),
);

const discard = statement<{ spareId: string }>('spare_discard', (p) =>
  sql('spare_databases')
    .where({ spare_id: p('spareId'), state: 'building' })
    .update({ state: 'retired', updated_at: sql.raw('now()') }),
);

// The oldest ones are kept: a claim takes the oldest.
const discardStale = statement<{ hash: string; serverId: string; keep: number }, SpareRow>(
  'spare_discard_stale',
  (p) =>
    sql.raw(
      `with surplus as (
       select spare_id from spare_databases where state = 'ready' and template_hash = ?
       order by created_at offset ?::int
     ), unused as (
       select spare_id from spare_databases left join results_templates using (template_hash)
       where state in ('ready', 'building') and template_hash <> ? and spare_databases.server_id = ?
         and coalesce(last_used_at, '-infinity') < now() - ${UNUSED_AFTER}
         and not exists (select from organization_databases where stamp = spare_id)
     )
     update spare_databases set state = 'retired', updated_at = now()
     where (spare_id in (table surplus) or spare_id in (table unused) or state = 'retired')
       and state <> 'claimed' and server_id = ?
     returning ${SPARE_COLUMNS.join(', ')}`,
      [p('hash'), p('keep'), p('hash'), p('serverId'), p('serverId')],
    ),
);

const listUnusedTemplates = statement<{ hash: string; serverId: string }, TemplateRow>(
  'template_list_unused',
  (p) =>
    sql('results_templates')
      .select('template_hash', 'server_id', 'database_name', 'schema_version')
      .where('server_id', p('serverId'))
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

const countReady = statement<object, { server_id: ServerId; ready: string }>('spare_count_ready', () =>
  sql('spare_databases')
    .select('server_id')
    .where('state', 'ready')
    .count({ ready: '*' })
    .groupBy('server_id'),
);

const list = statement<object, SpareRow>('spare_list', () =>
  sql('spare_databases').select(SPARE_COLUMNS).orderBy('created_at'),
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
    const { templateHash, serverId } = fresh;
    const [unfinished] = await this.#database.query(findUnfinished({ templateHash }));
    if (unfinished !== undefined) return toSpare(unfinished);
    const facts = await this.#countForDemand(templateHash, serverId, DEMAND_WINDOW_MS);
    if (!isSpareWanted(demandOn(demand, facts.status), facts)) return null;
    await this.#database.query(insertSpare({ ...fresh, state: 'building' }));
    return fresh;
  }

  async markReady(spareId: string): Promise<void> {
    await this.#database.query(markReady({ spareId }));
  }

  async discardStale(
    { hash, serverId }: TemplateRecord,
    demand: SpareDemand,
  ): Promise<readonly SpareDatabase[]> {
    const { newcomers, status } = await this.#countForDemand(hash, serverId, SURPLUS_WINDOW_MS);
    const keep = wantedSpares(demandOn(demand, status), newcomers);
    const rows = await this.#database.query(discardStale({ hash, serverId, keep }));
    return rows.map(toSpare);
  }

  async discard(spareId: string): Promise<void> {
    await this.#database.query(discard({ spareId }));
  }

  async forget(spareId: string): Promise<void> {
    await this.#database.query(forgetSpare({ spareId }));
  }

  async listUnusedTemplates({ hash, serverId }: TemplateRecord): Promise<readonly TemplateRecord[]> {
    const rows = await this.#database.query(listUnusedTemplates({ hash, serverId }));
    return rows.map((row) => ({
      hash: row.template_hash,
      serverId: row.server_id,
      databaseName: row.database_name,
      schemaVersion: row.schema_version,
    }));
  }

  async forgetUnusedTemplate(hash: string): Promise<boolean> {
    return (await this.#database.query(forgetUnusedTemplate({ hash }))).length > 0;
  }

  async countReady(): Promise<ReadonlyMap<ServerId, number>> {
    const rows = await this.#database.query(countReady({}));
    return new Map(rows.map((row) => [row.server_id, Number(row.ready)]));
  }

  async list(): Promise<readonly SpareDatabase[]> {
    return (await this.#database.query(list({}))).map(toSpare);
  }

  async listNames(): Promise<readonly string[]> {
    const rows = await this.#database.query(listNames({}));
    return rows.map((row) => row.database_name);
  }

  async #countForDemand(templateHash: string, serverId: ServerId, windowMs: number): Promise<DemandFacts> {
    const [row] = await this.#database.query(countForDemand({ templateHash, serverId, windowMs }));
    if (row === undefined) throw new Error(`the server "${serverId}" is not registered`);
    return row;
  }
}
