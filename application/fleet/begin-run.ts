import { allOf } from '../../domain/page.ts';
import type { FleetRun, NewRun } from '../ports/fleet/fleet-ledger.ts';
import { FleetCommandError } from './fleet-command-error.ts';
import type { FleetPorts } from './fleet-ports.ts';
import { FleetPlanning } from './plan-fleet.ts';
import { unfinishedRun, withFailures, type FleetStatus } from './run-status.ts';
import { workOnRun, type RunnerOptions } from './work-on-run.ts';

export type WorkOptions = Omit<RunnerOptions, 'onDrained'>;

/**
 * Writes a run down. Null when another process was first with a run to `joinable`, which the caller joins instead.
 *
 * @throws {FleetCommandError} when another run is under way
 */
export const beginRun = async (
  { ledger }: Pick<FleetPorts, 'ledger'>,
  run: NewRun,
  joinable: number | null,
): Promise<FleetRun | null> => {
  const begun = await ledger.begin(run);
  if (begun !== null) return begun;
  const other = await unfinishedRun(ledger);
  if (other === null || (joinable !== null && isTo(other, joinable))) return null;
  throw new FleetCommandError(
    `Run ${other.runId} (${other.kind}) is under way; wait for it, or pause it first.`,
  );
};

export const isTo = (run: FleetRun, target: number): boolean =>
  run.kind === 'migrate' && run.targetVersion === target;

/** Works on a run until this process has nothing left to do there. */
export const work = async (ports: FleetPorts, run: FleetRun, options: WorkOptions): Promise<FleetStatus> => {
  const onDrained = (): Promise<boolean> => addNewcomers(ports, run);
  return withFailures(
    ports.ledger,
    await workOnRun(ports)(run.runId, run.wholeFleet ? { ...options, onDrained } : options),
  );
};

/** Organizations that an older release has made since the run was planned. */
const addNewcomers = async (
  { ledger }: Pick<FleetPorts, 'ledger'>,
  { runId, targetVersion }: FleetRun,
): Promise<boolean> => {
  if (targetVersion === null) return false;
  const planning = new FleetPlanning({
    target: targetVersion,
    only: null,
    canaries: 0,
    waveSize: { percent: 100 },
  });
  for await (const candidate of allOf((page) => ledger.listCandidates({ behind: targetVersion }, page)))
    planning.add(candidate);
  const { items } = planning.finish();
  return items.length > 0 && (await ledger.add(runId, items)) > 0;
};
