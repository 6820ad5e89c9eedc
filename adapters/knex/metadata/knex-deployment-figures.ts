import type { ItemState } from '../../../application/ports/fleet/fleet-ledger.ts';
import type {
  DeploymentFigures,
  DeploymentGauge,
  Measured,
} from '../../../application/ports/operators/deployment-figures.ts';
import type { FindingSummary, UnfinishedRun } from '../../../application/ports/operators/operators-ledger.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

interface FiguresRow {
  readonly behind: number;
  readonly run_state: UnfinishedRun['state'] | null;
  readonly items: Readonly<Partial<Record<ItemState, number>>> | null;
  readonly dry_run: boolean | null;
  readonly summary: FindingSummary | null;
  readonly orphaned_seconds: number;
  readonly waiting: Readonly<Record<string, number>> | null;
}

/** One row, whatever the deployment holds. Every process asks for it four times a minute. */
const measure = statement<Measured, FiguresRow>(
  'deployment_measure',
  (p) =>
    sql.raw(
      `select
         (select count(*)::int from organization_databases d join organizations o using (org_id)
           where d.state = 'ready' and o.status = 'active' and d.schema_version < ?::integer) as behind,
         run.state as run_state,
         (select json_object_agg(state, count) from (
           select state, count(*)::int from fleet_items i where i.run_id = run.run_id group by state
         ) as counted) as items,
         pass.dry_run, pass.summary,
         (select coalesce(extract(epoch from now() - min(touched_at)), 0)::float8 from audit_backlogs
           where touched_at < now() - ?::double precision * interval '1 millisecond') as orphaned_seconds,
         (select json_object_agg(engine, jobs) from (
           select case when engine = any(?::text[]) then engine else 'other' end as engine, sum(waiting)::float8 as jobs
           from work_hints join organizations using (org_id) where waiting > 0 and status = 'active' group by 1
         ) as hints) as waiting
       from (values (1)) as one (row)
       left join reconciler_passes pass on true
       left join fleet_runs run on run.state <> 'finished'`,
      [p('schemaVersion'), p('silentForMs'), p('engines')],
    ),
  { readOnly: true },
);

/** Decision 0056. */
export class KnexDeploymentGauge implements DeploymentGauge {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async measure(measured: Measured): Promise<DeploymentFigures> {
    const [row] = await this.#executor.query(measure(measured));
    if (row === undefined) throw new Error('a row of values is missing');
    const { dry_run: dryRun, summary, run_state: state, items } = row;
    return {
      schemaBehind: row.behind,
      run: state && { state, counts: { pending: 0, running: 0, deferred: 0, done: 0, failed: 0, ...items } },
      pass: dryRun === null || summary === null ? null : { dryRun, summary },
      orphanedEntriesSeconds: row.orphaned_seconds,
      jobsWaiting: new Map(Object.entries(row.waiting ?? {})),
    };
  }
}
