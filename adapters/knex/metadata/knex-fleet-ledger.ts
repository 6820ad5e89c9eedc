import {
  SET_ASIDE,
  type FleetCandidate,
  type FleetClaim,
  type FleetItem,
  type FleetLane,
  type FleetLedger,
  type FleetProgress,
  type FleetReport,
  type FleetRun,
  type ItemState,
  type NewRun,
  type PlannedItem,
  type RunState,
} from '../../../application/ports/fleet/fleet-ledger.ts';
import { reasonToHalt } from '../../../domain/fleet/halting-rule.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { dynamicQuery, sql, type SqlDatabase, type SqlExecutor } from '../statement.ts';
import {
  ITEM_COLUMNS,
  RUN_COLUMNS,
  toCandidate,
  toClaim,
  toItem,
  toRun,
  type ItemRow,
  type RunRow,
} from './fleet-ledger-rows.ts';
import * as statements from './fleet-ledger-statements.ts';
import * as work from './fleet-work-statements.ts';

/** Fleet runs and their items. Decision 0010. */
export class KnexFleetLedger implements FleetLedger {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async listCandidates(
    { behind }: { readonly behind: number | null },
    { limit, after }: PageRequest<string>,
  ): Promise<Page<FleetCandidate, string>> {
    const rows = await this.#database.query(statements.listCandidates({ behind, after, limit: limit + 1 }));
    return toPage(rows.map(toCandidate), limit, ({ organizationId }) => organizationId);
  }

  async countSchemas(): Promise<ReadonlyMap<number, number>> {
    const rows = await this.#database.query(statements.countSchemas({}));
    return new Map(rows.map(({ schema_version: version, count }) => [version, Number(count)]));
  }

  begin({ items, serviceSchemaVersion, replaces, ...run }: NewRun): Promise<FleetRun | null> {
    return this.#database.transaction(async (executor) => {
      const reason = run.kind === 'rollback' ? SET_ASIDE : 'superseded by a later run';
      if (replaces !== null) await executor.query(statements.endAbandonedRun({ runId: replaces, reason }));
      const [row] = await executor.query(
        statements.insertRun({ ...run, serviceSchemaVersion: serviceSchemaVersion ?? null }),
      );
      if (row === undefined) return null;
      await insertItems(executor, row.run_id, items);
      return toRun(row);
    });
  }

  add(runId: number, items: readonly PlannedItem[]): Promise<number> {
    return this.#database.transaction((executor) => insertItems(executor, runId, items));
  }

  async findRun(runId: number): Promise<FleetRun | null> {
    const [row] = await this.#database.query(statements.findRun({ runId }));
    return row === undefined ? null : toRun(row);
  }

  async latestRun(): Promise<FleetRun | null> {
    const [row] = await this.#database.query(statements.latestRun({}));
    return row === undefined ? null : toRun(row);
  }

  async findSetAside(): Promise<FleetRun | null> {
    const [row] = await this.#database.query(statements.latestMigration({}));
    return row?.reason === SET_ASIDE ? toRun(row) : null;
  }

  async listRuns({ limit, after }: PageRequest<number>): Promise<Page<FleetRun, number>> {
    const query = sql('fleet_runs')
      .select(RUN_COLUMNS)
      .orderBy('run_id', 'desc')
      .limit(limit + 1);
    if (after !== null) query.where('run_id', '<', after);
    const rows = await this.#database.query(dynamicQuery<RunRow>(query));
    return toPage(rows.map(toRun), limit, ({ runId }) => runId);
  }

  async progress(runId: number): Promise<FleetProgress | null> {
    const run = await this.findRun(runId);
    if (run === null) return null;
    const counts: Record<ItemState, number> = { pending: 0, running: 0, deferred: 0, done: 0, failed: 0 };
    let organizations = 0;
    let lastWave = 0;
    for (const row of await this.#database.query(statements.countItems({ runId }))) {
      counts[row.state] = Number(row.count);
      organizations += counts[row.state];
      lastWave = Math.max(lastWave, row.last_wave);
    }
    return { run, organizations, counts, waves: lastWave + 1 };
  }

  async listItems(
    runId: number,
    { state }: { readonly state: ItemState | null },
    { limit, after }: PageRequest<string>,
  ): Promise<Page<FleetItem, string>> {
    const query = sql('fleet_items')
      .select(ITEM_COLUMNS)
      .where('run_id', runId)
      .orderBy('org_id')
      .limit(limit + 1);
    if (state !== null) query.where('state', state);
    if (after !== null) query.where('org_id', '>', after);
    const rows = await this.#database.query(dynamicQuery<ItemRow>(query));
    return toPage(rows.map(toItem), limit, ({ organizationId }) => organizationId);
  }

  async claim(
    runId: number,
    runner: string,
    lane: FleetLane,
    count: number,
    leaseMs: number,
  ): Promise<readonly FleetClaim[]> {
    const where =
      'serverId' in lane
        ? { serverId: lane.serverId, otherThan: [] }
        : { serverId: null, otherThan: lane.otherThan };
    const rows = await this.#database.query(work.claim({ runId, runner, ...where, count, leaseMs }));
    return rows.map(toClaim);
  }

  async renew(runId: number, runner: string, leaseMs: number): Promise<void> {
    await this.#database.query(work.renew({ runId, runner, leaseMs }));
  }

  async release(runId: number, runner: string, organizationIds: readonly OrganizationId[]): Promise<void> {
    await this.#database.query(work.release({ runId, runner, organizationIds }));
  }

  report(runId: number, runner: string, reports: readonly FleetReport[]): Promise<RunState> {
    // Only a failure can halt the run. Without one, a single statement does, and it waits for no lock on the run.
    if (reports.every(({ state }) => state !== 'failed')) {
      return writeReports(this.#database, runId, runner, reports);
    }
    return this.#database.transaction(async (executor) => {
      const run = await lockRun(executor, runId);
      const state = await writeReports(executor, runId, runner, reports);
      if (state !== 'running') return state;
      const reason = reasonToHalt({
        wave: run.wave,
        errorBudget: run.error_budget,
        accepted: run.accepted_failures,
        ...(await countFailures(executor, runId)),
      });
      if (reason === null) return state;
      await executor.query(statements.halt({ runId, reason }));
      return 'halted';
    });
  }

  async advance(runId: number): Promise<boolean> {
    return (await this.#database.query(statements.advance({ runId }))).length > 0;
  }

  async finish(runId: number): Promise<boolean> {
    return (await this.#database.query(statements.finish({ runId }))).length > 0;
  }

  async handToService(runId: number, schemaVersion: number): Promise<void> {
    await this.#database.query(statements.handToService({ runId, schemaVersion }));
  }

  async pause(runId: number): Promise<boolean> {
    return (await this.#database.query(statements.pause({ runId }))).length > 0;
  }

  async resume(runId: number): Promise<boolean> {
    return (await this.#database.query(statements.resume({ runId, setAside: SET_ASIDE }))).length > 0;
  }

  retry(runId: number, organizationIds: readonly OrganizationId[] | null): Promise<number> {
    return this.#database.transaction(async (executor) => {
      await lockRun(executor, runId);
      const rows = await executor.query(statements.retryItems({ runId, organizationIds }));
      if (rows.length > 0) await executor.query(statements.reopen({ runId }));
      return rows.length;
    });
  }

  async listMoved(
    { oldest, newest }: { readonly oldest: number; readonly newest: number },
    sinceMs: number,
    known: readonly OrganizationId[],
  ): Promise<readonly { readonly organizationId: OrganizationId; readonly schemaVersion: number }[]> {
    const rows = await this.#database.query(
      statements.listMoved({ oldest, newest, sinceMs: Math.ceil(sinceMs), known }),
    );
    return rows.map((row) => ({ organizationId: row.org_id, schemaVersion: row.schema_version }));
  }

  async want(organizationId: OrganizationId): Promise<void> {
    await this.#database.query(statements.want({ organizationId }));
  }
}

/** Items of one statement: its parameters stay small, however large the fleet is. */
const ITEMS_AT_ONCE = 10_000;

const insertItems = async (
  executor: SqlExecutor,
  runId: number,
  items: readonly PlannedItem[],
): Promise<number> => {
  let inserted = 0;
  for (let at = 0; at < items.length; at += ITEMS_AT_ONCE) {
    const some = items.slice(at, at + ITEMS_AT_ONCE);
    const rows = await executor.query(
      statements.insertItems({
        runId,
        organizationIds: some.map(({ organizationId }) => organizationId),
        waves: some.map(({ wave }) => wave),
        urgent: some.map(({ urgent }) => urgent),
        fromVersions: some.map(({ fromVersion }) => fromVersion),
        toVersions: some.map(({ toVersion }) => toVersion),
      }),
    );
    inserted += rows.length;
  }
  return inserted;
};

const writeReports = async (
  executor: SqlExecutor,
  runId: number,
  runner: string,
  reports: readonly FleetReport[],
): Promise<RunState> => {
  const [row] = await executor.query(
    work.report({
      runId,
      runner,
      organizationIds: reports.map(({ organizationId }) => organizationId),
      stamps: reports.map(({ stamp }) => stamp),
      states: reports.map(({ state }) => state),
      schemaVersions: reports.map(({ schemaVersion }) => schemaVersion),
      errors: reports.map(({ error }) => error),
      durationsMs: reports.map(({ durationMs }) => Math.round(durationMs)),
      delaysMs: reports.map(({ delayMs }) => Math.round(delayMs)),
      areAttempts: reports.map(({ isAttempt }) => isAttempt),
    }),
  );
  return row?.state ?? 'finished';
};

const lockRun = async (
  executor: SqlExecutor,
  runId: number,
): Promise<RunRow & { accepted_failures: number }> => {
  const [row] = await executor.query(statements.lockRun({ runId }));
  if (row === undefined) throw new Error(`there is no run ${runId}`);
  return row;
};

const countFailures = async (
  executor: SqlExecutor,
  runId: number,
): Promise<{ readonly failed: number; readonly failedCanaries: number }> => {
  const [row] = await executor.query(statements.countFailures({ runId }));
  if (row === undefined) throw new Error('a count returned no row');
  return { failed: Number(row.failures), failedCanaries: Number(row.canaries) };
};
