import type {
  ResultsServerRecord,
  ServerId,
  ServerLabels,
  ServerStatus,
} from '../../../domain/databases/server.ts';
import { sql, statement } from '../statement.ts';

export interface ServerRow {
  readonly server_id: ServerId;
  readonly status: ServerStatus;
  readonly weight: number;
  readonly max_databases: number | null;
  readonly databases: number;
  readonly labels: ServerLabels;
  readonly system_identifier: string | null;
}

const COLUMNS = [
  'server_id',
  'status',
  'weight',
  'max_databases',
  'databases',
  'labels',
  'system_identifier',
] as const satisfies readonly (keyof ServerRow)[];

export const toServerRecord = (row: ServerRow): ResultsServerRecord => ({
  serverId: row.server_id,
  status: row.status,
  weight: row.weight,
  maxDatabases: row.max_databases,
  databases: row.databases,
  labels: row.labels,
  systemIdentifier: row.system_identifier,
});

export const listServers = statement<object, ServerRow>('server_list', () =>
  sql('results_servers').select(COLUMNS).orderBy('server_id'),
);

export const findServer = statement<{ serverId: string }, ServerRow>('server_find', (p) =>
  sql('results_servers').select(COLUMNS).where('server_id', p('serverId')),
);

// All transactions lock in the same order, so two choices never wait for each other. Records of databases refer to these
// rows: the weaker lock lets other transactions insert them meanwhile.
export const lockServers = statement<object, ServerRow>('server_lock', () =>
  sql('results_servers').select(COLUMNS).orderBy('server_id').forNoKeyUpdate(),
);

export const registerServers = statement<{ serverIds: readonly string[] }, { server_id: ServerId }>(
  'server_register',
  (p) =>
    sql.raw(
      `insert into results_servers (server_id) select unnest(?::text[]) on conflict do nothing returning server_id`,
      [p('serverIds')],
    ),
);

export const identifyServer = statement<{ serverId: string; systemIdentifier: string }>(
  'server_identify',
  (p) =>
    sql('results_servers')
      .where('server_id', p('serverId'))
      .whereRaw('system_identifier is distinct from ?::text', [p('systemIdentifier')])
      .update({ system_identifier: p('systemIdentifier'), updated_at: sql.raw('now()') }),
);

interface SeenTimeline {
  readonly serverId: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
}

export const noteTimeline = statement<SeenTimeline, { timeline: number }>('server_note_timeline', (p) =>
  sql.raw(
    `with seen as (select ?::text as server_id, ?::text as system_identifier, ?::int as timeline),
       noted as (
         update results_servers s set timeline = seen.timeline, timeline_system_identifier = seen.system_identifier
         from seen where s.server_id = seen.server_id
           and (s.timeline_system_identifier is distinct from seen.system_identifier or s.timeline < seen.timeline)
         returning s.timeline)
     select greatest(seen.timeline, (select timeline from noted), s.timeline) as timeline
     from seen left join results_servers s on s.server_id = seen.server_id
       and s.timeline_system_identifier = seen.system_identifier`,
    [p('serverId'), p('systemIdentifier'), p('timeline')],
  ),
);

export const releaseCluster = statement<{ systemIdentifier: string; serverIds: readonly string[] }>(
  'server_release_cluster',
  (p) =>
    sql('results_servers')
      .where('system_identifier', p('systemIdentifier'))
      .whereRaw('server_id = any(?)', [p('serverIds')])
      .update({ system_identifier: null, updated_at: sql.raw('now()') }),
);

export interface ServerChange {
  readonly serverId: string;
  readonly status: string | null;
  readonly weight: number | null;
  readonly maxDatabases: number | null;
  readonly setsMaxDatabases: boolean;
  readonly labels: string | null;
}

export const changeServer = statement<ServerChange, ServerRow>('server_change', (p) =>
  sql.raw(
    `update results_servers set status = coalesce(?::text, status), weight = coalesce(?::int, weight),
       max_databases = case when ?::bool then ?::int else max_databases end,
       labels = coalesce(?::jsonb, labels), updated_at = now()
     where server_id = ? returning ${COLUMNS.join(', ')}`,
    [p('status'), p('weight'), p('setsMaxDatabases'), p('maxDatabases'), p('labels'), p('serverId')],
  ),
);
