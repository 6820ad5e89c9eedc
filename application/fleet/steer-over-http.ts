import type { AuditAction } from '../../domain/audit/audit-actions.ts';
import { MigrationRunNotFoundError, MigrationStateConflictError } from '../../domain/fleet/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { FleetProgress, FleetRun, RunState } from '../ports/fleet/fleet-ledger.ts';
import type { Ports } from '../ports/ports.ts';
import { beginRun } from './begin-run.ts';
import { FleetCommandError } from './fleet-command-error.ts';
import type { FleetPorts } from './fleet-ports.ts';
import { amountOf, type FleetPlan } from './plan-fleet.ts';
import { planRun } from './plan-run.ts';
import { beginRollback, type RollbackOptions } from './roll-back.ts';
import type { FleetRunOptions } from './run-fleet.ts';
import { latestRun, unfinishedRun } from './run-status.ts';

export interface SteeringPorts extends FleetPorts, Pick<Ports, 'metadata'> {
  /** Has this process look for runs that the service works on. */
  readonly kick: () => void;
}

/** What the caller saw of a run before deciding. */
export interface SeenRun {
  readonly state: RunState;
  /** Organizations that had failed; left out: they do not matter. */
  readonly failed?: number;
}

export interface StartOptions extends FleetRunOptions {
  readonly isDryRun: boolean;
  /** The latest run that the caller saw; null: there was none; left out: it does not matter. */
  readonly seenRunId?: number | null;
}

/** A plan, and the run that was begun by it: none in a dry run, or when nothing is to be done. */
export interface StartedRun {
  readonly plan: FleetPlan;
  readonly progress: FleetProgress | null;
}

export type FleetSteering = ReturnType<typeof steerFleet>;

/**
 * What operators do with runs without waiting for them: each call writes down what is to be done, and processes of the
 * service do it. A call that was decided on by a state of which nothing is left is refused. Decision 0051.
 */
export const steerFleet = (ports: SteeringPorts) => ({
  start: (actor: Actor, options: StartOptions): Promise<StartedRun> =>
    asConflict(() => start(ports, actor, options)),
  pause: (actor: Actor, runId: number, seen: SeenRun): Promise<FleetProgress> =>
    asConflict(async () => {
      await assertSeen(ports, runId, seen);
      if (!(await ports.ledger.pause(runId))) throw new FleetCommandError(`Run ${runId} is not running.`);
      return recorded(ports, actor, 'migration.paused', runId, {});
    }),
  resume: (actor: Actor, runId: number, seen: SeenRun): Promise<FleetProgress> =>
    asConflict(async () => {
      const { counts } = await assertSeen(ports, runId, seen);
      await hand(ports, runId);
      if (!(await ports.ledger.resume(runId)))
        throw new FleetCommandError(`Run ${runId} is not paused, halted or set aside.`);
      return recorded(ports, actor, 'migration.resumed', runId, { accepted_failures: counts.failed });
    }),
  retry: (
    actor: Actor,
    runId: number,
    seen: SeenRun & { readonly only: readonly OrganizationId[] | null },
  ): Promise<FleetProgress> =>
    asConflict(async () => {
      await assertSeen(ports, runId, seen);
      await hand(ports, runId);
      const organizations = await ports.ledger.retry(runId, seen.only);
      if (organizations === 0) throw new FleetCommandError(`Run ${runId} has no such failed organizations.`);
      return recorded(ports, actor, 'migration.retried', runId, { organizations });
    }),
  rollBack: (actor: Actor, runId: number, seen: SeenRun & RollbackOptions): Promise<FleetProgress> =>
    asConflict(async () => {
      const { run: latest } = await assertSeen(ports, runId, seen);
      if (latest.kind === 'rollback' && latest.state !== 'finished')
        throw new FleetCommandError(`Run ${runId} is a rollback that is under way.`);
      const run = await beginRollback(ports, latest, seen, await ports.migrator.newestVersion());
      return recorded(ports, actor, 'migration.rolled_back', run.runId, { run_id: runId });
    }),
});

const start = async (
  ports: SteeringPorts,
  actor: Actor,
  { isDryRun, seenRunId, errorBudget, ...options }: StartOptions,
): Promise<StartedRun> => {
  const { ledger, migrator } = ports;
  const plan = await planRun(ports)(options);
  if (isDryRun) return { plan, progress: null };
  const latest = await ledger.latestRun();
  if (seenRunId !== undefined && (latest?.runId ?? null) !== seenRunId)
    throw new FleetCommandError(`Run ${latest?.runId ?? 0} has been begun meanwhile.`);
  const unfinished = await unfinishedRun(ledger);
  if (unfinished !== null) throw new FleetCommandError(`Run ${unfinished.runId} is ${unfinished.state}.`);
  if (plan.items.length === 0) return { plan, progress: null };
  const run = await beginRun(
    ports,
    {
      kind: 'migrate',
      targetVersion: plan.target,
      wholeFleet: options.only === null,
      errorBudget: amountOf(errorBudget, plan.items.length),
      replaces: null,
      serviceSchemaVersion: await migrator.newestVersion(),
      items: plan.items,
    },
    plan.target,
  );
  if (run === null) throw new FleetCommandError('Another run has just begun.');
  const details = { target_version: plan.target, organizations: plan.items.length };
  return { plan, progress: await recorded(ports, actor, 'migration.started', run.runId, details) };
};

/** @throws {MigrationRunNotFoundError} @throws {FleetCommandError} when the run is another by now, or not the latest one */
const assertSeen = async (
  { ledger }: Pick<FleetPorts, 'ledger'>,
  runId: number,
  { state, failed }: SeenRun,
): Promise<FleetProgress> => {
  const progress = await ledger.progress(runId);
  if (progress === null) throw new MigrationRunNotFoundError();
  const { run, counts } = progress;
  if (run.state !== state) throw new FleetCommandError(`Run ${runId} is ${run.state} by now, not ${state}.`);
  if (failed !== undefined && counts.failed !== failed)
    throw new FleetCommandError(
      `In run ${runId} ${counts.failed} organizations have failed by now, not ${failed}.`,
    );
  if (!(await isSteerable(ledger, run))) throw new FleetCommandError(`Run ${runId} is not the latest run.`);
  return progress;
};

/** The latest run, or one that a rollback set aside which is finished. */
const isSteerable = async (ledger: FleetPorts['ledger'], { runId }: FleetRun): Promise<boolean> => {
  const latest = await latestRun(ledger);
  if (latest.runId === runId) return true;
  return latest.state === 'finished' && (await ledger.findSetAside())?.runId === runId;
};

const hand = async ({ ledger, migrator }: SteeringPorts, runId: number): Promise<void> =>
  ledger.handToService(runId, await migrator.newestVersion());

const recorded = async (
  { metadata, ledger, kick }: SteeringPorts,
  actor: Actor,
  action: AuditAction,
  runId: number,
  details: Readonly<Record<string, unknown>>,
): Promise<FleetProgress> => {
  kick();
  await metadata.auditLog.append({
    organizationId: null,
    action,
    entityType: 'migration_run',
    entityId: String(runId),
    details,
    ...causedBy(actor),
  });
  const progress = await ledger.progress(runId);
  if (progress === null) throw new MigrationRunNotFoundError();
  return progress;
};

const asConflict = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FleetCommandError)
      throw new MigrationStateConflictError(error.message, { cause: error });
    throw error;
  }
};
