import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { allOf } from '../../domain/page.ts';
import { holdsResults } from '../../domain/databases/results-database.ts';
import type { DatabaseMigrator } from '../ports/fleet/database-migrator.ts';
import type {
  FleetItem,
  FleetLedger,
  FleetProgress,
  FleetRun,
  NewRun,
  PlannedItem,
} from '../ports/fleet/fleet-ledger.ts';
import type { FleetRunner, RunnerOptions } from './fleet-runner.ts';
import { amountOf, planFleet, type FleetPlan, type PlanOptions, type Quantity } from './plan-fleet.ts';

/** Raised when a command does not fit the state of the latest run; nothing was changed. */
export class FleetCommandError extends Error {
  override readonly name = 'FleetCommandError';
}

/** `target` left out: the newest version that this release knows. */
export interface FleetPlanOptions extends Omit<PlanOptions, 'target'> {
  readonly target?: number;
}

export interface FleetRunOptions extends FleetPlanOptions {
  /** Failures that the run takes without halting. */
  readonly errorBudget: Quantity;
}

export interface RollbackOptions {
  /** Which organizations of the latest migration: these, or those of one wave. */
  readonly of: readonly OrganizationId[] | { readonly wave: number };
  /** Left out: the version that each had before the latest migration. */
  readonly target?: number;
}

export type WorkOptions = Omit<RunnerOptions, 'onDrained'>;

export interface FleetStatus extends FleetProgress {
  readonly failures: readonly FleetItem[];
}

/** A run that was worked on; null when every organization chosen was up to date, so that there was nothing to do. */
export interface FleetResult {
  readonly plan: FleetPlan;
  readonly status: FleetStatus | null;
}

/** What an operator does with the schema versions of all organizations. Plans are made from the ledger alone. */
export class FleetOperator {
  readonly #ledger: FleetLedger;
  readonly #runner: FleetRunner;
  readonly #migrator: DatabaseMigrator;

  constructor(ledger: FleetLedger, runner: FleetRunner, migrator: DatabaseMigrator) {
    this.#ledger = ledger;
    this.#runner = runner;
    this.#migrator = migrator;
  }

  /** @throws {FleetCommandError} for a version that this release does not know */
  async plan(options: FleetPlanOptions): Promise<FleetPlan> {
    const target = await this.#target(options.target);
    return planFleet(await this.#ledger.listCandidates(), { ...options, target });
  }

  /**
   * Brings organizations to the target version. Goes on with an unfinished run to the same version, whoever began it;
   * otherwise begins a new one. Safe to call in several processes at once: they share the work.
   *
   * @throws {FleetCommandError} when the unfinished run is another one, or waits for an operator
   */
  async run(options: FleetRunOptions, work: WorkOptions): Promise<FleetResult> {
    const targetVersion = await this.#target(options.target);
    const wholeFleet = options.only === null;
    for (;;) {
      const unfinished = await this.#unfinished();
      if (unfinished !== null && isTo(unfinished, targetVersion)) {
        assertRunning(unfinished);
        const status = await this.#work(unfinished, work);
        if (unfinished.wholeFleet || status.run.state !== 'finished') {
          return { plan: await this.plan(options), status };
        }
      }
      const plan = await this.plan(options);
      if (plan.items.length === 0) return { plan, status: null };
      const errorBudget = amountOf(options.errorBudget, plan.items.length);
      const run = await this.#begin(
        { kind: 'migrate', targetVersion, wholeFleet, errorBudget, items: plan.items },
        targetVersion,
      );
      if (run !== null) return { plan, status: await this.#work(run, work) };
    }
  }

  /**
   * Takes organizations back to an earlier version, with the migrations' own way down.
   *
   * @throws {FleetCommandError} when there is nothing to take back, or another run is unfinished
   */
  async rollback({ of, target }: RollbackOptions, work: WorkOptions): Promise<FleetStatus> {
    const latest = await this.#ledger.latestRun();
    if (latest === null) throw new FleetCommandError('No migration was ever run.');
    if (latest.kind === 'rollback' && latest.state !== 'finished') {
      assertRunning(latest);
      return this.#work(latest, work);
    }
    const items = await this.#itemsToTakeBack(latest, of, target);
    if (items.length === 0) {
      throw new FleetCommandError('None of these organizations has a version that could be taken back.');
    }
    const run = await this.#begin(
      { kind: 'rollback', targetVersion: target ?? null, wholeFleet: false, errorBudget: 0, items },
      null,
    );
    if (run === null) throw new FleetCommandError('Another run has just begun.');
    return this.#work(run, work);
  }

  /** Stops the run under way from beginning more; databases under way are finished. */
  async pause(): Promise<FleetRun> {
    const run = await this.#required();
    if (!(await this.#ledger.pause(run.runId)))
      throw new FleetCommandError(`Run ${run.runId} is ${run.state}.`);
    return run;
  }

  /** Goes on with a run that was paused, halted or left by its runners; its failures so far count as accepted. */
  async resume(work: WorkOptions): Promise<FleetStatus> {
    const run = await this.#required();
    if (run.state === 'finished') throw new FleetCommandError(`Run ${run.runId} is finished.`);
    await this.#ledger.resume(run.runId);
    return this.#work(run, work);
  }

  /** Tries failed organizations of the latest run again. Null: all of them. */
  async retry(only: readonly OrganizationId[] | null, work: WorkOptions): Promise<FleetStatus> {
    const run = await this.#required();
    if ((await this.#ledger.retry(run.runId, only)) === 0) {
      throw new FleetCommandError(`Run ${run.runId} has no such failed organizations.`);
    }
    return this.#work(run, work);
  }

  /** The latest run, or the one asked for; null when there is none. */
  async status(runId?: number): Promise<FleetStatus | null> {
    const id = runId ?? (await this.#ledger.latestRun())?.runId;
    const progress = id === undefined ? null : await this.#ledger.progress(id);
    return progress === null ? null : this.#withFailures(progress);
  }

  async #work(run: FleetRun, work: WorkOptions): Promise<FleetStatus> {
    const onDrained = (): Promise<boolean> => this.#addNewcomers(run);
    return this.#withFailures(
      await this.#runner.work(run.runId, run.wholeFleet ? { ...work, onDrained } : work),
    );
  }

  /** Organizations that an older release has made since the run was planned. */
  async #addNewcomers({ runId, targetVersion }: FleetRun): Promise<boolean> {
    if (targetVersion === null) return false;
    const plan = planFleet(await this.#ledger.listCandidates(), {
      target: targetVersion,
      only: null,
      canaries: 0,
      waveSize: { percent: 100 },
    });
    return plan.items.length > 0 && (await this.#ledger.add(runId, plan.items)) > 0;
  }

  async #itemsToTakeBack(
    latest: FleetRun,
    of: RollbackOptions['of'],
    target: number | undefined,
  ): Promise<PlannedItem[]> {
    const before = new Map<OrganizationId, FleetItem>();
    for await (const item of this.#items(latest.runId, null)) before.set(item.organizationId, item);
    const chosen = 'wave' in of ? waveOf(before, of.wave) : new Set(of);
    const candidates = await this.#ledger.listCandidates();
    return candidates.flatMap(({ organizationId, schemaVersion, state }) => {
      const toVersion = target ?? before.get(organizationId)?.fromVersion;
      if (!chosen.has(organizationId) || toVersion === undefined || schemaVersion === null) return [];
      if (!holdsResults(state) || schemaVersion <= toVersion) return [];
      return [{ organizationId, wave: 1, urgent: false, fromVersion: schemaVersion, toVersion }];
    });
  }

  /** @param joinable the version whose run the caller would rather join, when another process was first */
  async #begin(run: NewRun, joinable: number | null): Promise<FleetRun | null> {
    const begun = await this.#ledger.begin(run);
    if (begun !== null) return begun;
    const other = await this.#unfinished();
    if (other === null || (joinable !== null && isTo(other, joinable))) return null;
    throw new FleetCommandError(
      `Run ${other.runId} (${other.kind}) is under way; wait for it, or pause it first.`,
    );
  }

  async #target(target: number | undefined): Promise<number> {
    const newest = await this.#migrator.newestVersion();
    if (target !== undefined && target > newest) {
      throw new FleetCommandError(`This release knows schema versions up to ${newest}, not ${target}.`);
    }
    return target ?? newest;
  }

  async #unfinished(): Promise<FleetRun | null> {
    const latest = await this.#ledger.latestRun();
    return latest?.state === 'finished' ? null : latest;
  }

  async #required(): Promise<FleetRun> {
    const latest = await this.#ledger.latestRun();
    if (latest === null) throw new FleetCommandError('No migration was ever run.');
    return latest;
  }

  async #withFailures(progress: FleetProgress): Promise<FleetStatus> {
    const failures: FleetItem[] = [];
    if (progress.counts.failed > 0)
      for await (const item of this.#items(progress.run.runId, 'failed')) failures.push(item);
    return { ...progress, failures };
  }

  #items(runId: number, state: FleetItem['state'] | null): AsyncIterable<FleetItem> {
    return allOf((page) => this.#ledger.listItems(runId, { state }, page));
  }
}

const isTo = (run: FleetRun, target: number): boolean =>
  run.kind === 'migrate' && run.targetVersion === target;

const assertRunning = (run: FleetRun): void => {
  if (run.state === 'running') return;
  throw new FleetCommandError(
    `Run ${run.runId} is ${run.state}: ${run.reason ?? 'no reason is on record'}. ` +
      'Go on with it by "migrate resume", or try what failed again by "migrate retry".',
  );
};

const waveOf = (items: ReadonlyMap<OrganizationId, FleetItem>, wave: number): ReadonlySet<OrganizationId> =>
  new Set(
    [...items.values()].filter((item) => item.wave === wave).map(({ organizationId }) => organizationId),
  );
