import type { Finding, ReconcileReport } from '../../../application/ports/databases/database-upkeep.ts';
import type { ItemState } from '../../../application/ports/fleet/fleet-ledger.ts';
import type {
  FindingSummary,
  OperatorsLedger,
  OrganizationGroup,
  ReconcilerPass,
  Standing,
  UnfinishedRun,
} from '../../../application/ports/operators/operators-ledger.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';
import { BEAT_COLUMNS, toBeat, type BeatRow } from './process-facts.ts';

const SAMPLE = 5;

interface GroupRow extends Omit<OrganizationGroup, 'serverId' | 'schemaVersion'> {
  readonly server_id: OrganizationGroup['serverId'];
  readonly schema_version: number | null;
}

const groupOrganizations = statement<object, GroupRow>(
  'operators_group_organizations',
  () =>
    // Counted without a sort of all. Then the first of each group are found along an index.
    sql.raw(
      `with groups as materialized (
         select o.status, d.server_id, d.state, d.schema_version, count(*)::int as count
         from organizations o left join organization_databases d using (org_id)
         group by o.status, d.server_id, d.state, d.schema_version
       )
       select groups.*, array(
         select o.org_id from organizations o left join organization_databases d using (org_id)
         where o.status = groups.status and d.server_id is not distinct from groups.server_id
           and d.state is not distinct from groups.state
           and d.schema_version is not distinct from groups.schema_version
         order by o.org_id limit ${SAMPLE}
       ) as sample
       from groups order by status, server_id, state, schema_version`,
    ),
  { readOnly: true },
);

interface RunRow {
  readonly run_id: number;
  readonly kind: UnfinishedRun['kind'];
  readonly state: UnfinishedRun['state'];
  readonly reason: string | null;
  readonly is_served: boolean;
  readonly counts: Readonly<Partial<Record<ItemState, number>>> | null;
}

interface StandingRow {
  readonly processes: readonly BeatRow[] | null;
  readonly run: RunRow | null;
  readonly origin: ReconcilerPass['origin'] | null;
  readonly dry_run: boolean | null;
  readonly ended_at: Date | null;
  readonly summary: FindingSummary | null;
}

const standing = statement<object, StandingRow>(
  'operators_standing',
  () =>
    sql.raw(
      `select
         (select json_agg(b order by b.started_ms, b.instance_id)
           from (select ${BEAT_COLUMNS} from process_beats) as b) as processes,
         (select to_json(r) from (
           select run_id, kind, state, reason, service_schema_version is not null as is_served, (
             select json_object_agg(state, count) from (
               select state, count(*)::int from fleet_items i where i.run_id = fleet_runs.run_id group by state
             ) as counted) as counts
           from fleet_runs where state <> 'finished') as r) as run,
         p.origin, p.dry_run, p.ended_at, p.summary
       from (values (1)) as one (row) left join reconciler_passes p on true`,
    ),
  { readOnly: true },
);

const recordPass = statement<{
  origin: string;
  dryRun: boolean;
  beganAt: Date;
  endedAt: Date;
  summary: string;
  findings: string;
  unreachable: string;
}>('operators_record_pass', (p) =>
  sql('reconciler_passes')
    .insert({
      origin: p('origin'),
      dry_run: p('dryRun'),
      began_at: p('beganAt'),
      ended_at: p('endedAt'),
      summary: p('summary'),
      findings: p('findings'),
      unreachable: p('unreachable'),
    })
    .onConflict('is_last')
    .merge(),
);

interface PassRow {
  readonly origin: ReconcilerPass['origin'];
  readonly dry_run: boolean;
  readonly began_at: Date;
  readonly ended_at: Date;
  readonly summary: FindingSummary;
  readonly findings: readonly Finding[];
  readonly unreachable: ReconcileReport['unreachable'];
}

const lastPass = statement<object, PassRow>('operators_last_pass', () =>
  sql('reconciler_passes').select(
    'origin',
    'dry_run',
    'began_at',
    'ended_at',
    'summary',
    'findings',
    'unreachable',
  ),
);

/** What operators see of the whole deployment. Decision 0051. */
export class KnexOperatorsLedger implements OperatorsLedger {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async groupOrganizations(): Promise<readonly OrganizationGroup[]> {
    const rows = await this.#executor.query(groupOrganizations({}));
    return rows.map(({ server_id: serverId, schema_version: schemaVersion, ...row }) => ({
      ...row,
      serverId,
      schemaVersion,
    }));
  }

  async standing(): Promise<Standing> {
    const [row] = await this.#executor.query(standing({}));
    if (row === undefined) throw new Error('a row of values is missing');
    const { processes, run, origin, dry_run: dryRun, ended_at: endedAt, summary } = row;
    return {
      processes: (processes ?? []).map(toBeat),
      run: run && toUnfinishedRun(run),
      pass:
        origin === null || dryRun === null || endedAt === null || summary === null
          ? null
          : { origin, dryRun, endedAt, summary },
    };
  }

  async recordPass({ summary, findings, unreachable, ...pass }: ReconcilerPass): Promise<void> {
    await this.#executor.query(
      recordPass({
        ...pass,
        summary: JSON.stringify(summary),
        findings: JSON.stringify(findings),
        unreachable: JSON.stringify(unreachable),
      }),
    );
  }

  async lastPass(): Promise<ReconcilerPass | null> {
    const [row] = await this.#executor.query(lastPass({}));
    if (row === undefined) return null;
    const { dry_run: dryRun, began_at: beganAt, ended_at: endedAt, ...rest } = row;
    return { ...rest, dryRun, beganAt, endedAt };
  }
}

const toUnfinishedRun = ({ run_id: runId, is_served: isServed, counts, ...run }: RunRow): UnfinishedRun => ({
  ...run,
  runId,
  isServed,
  counts: { pending: 0, running: 0, deferred: 0, done: 0, failed: 0, ...counts },
});
