import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { FleetRun } from '../ports/fleet/fleet-ledger.ts';
import { work, type WorkOptions } from './begin-run.ts';
import { FleetCommandError } from './fleet-command-error.ts';
import type { FleetPorts } from './fleet-ports.ts';
import { latestRun, type FleetStatus } from './run-status.ts';

/**
 * Stops the run under way from beginning more; databases under way are finished.
 *
 * @throws {FleetCommandError} when no run is under way
 */
export const pauseRun =
  ({ ledger }: Pick<FleetPorts, 'ledger'>) =>
  async (): Promise<FleetRun> => {
    const run = await latestRun(ledger);
    if (!(await ledger.pause(run.runId))) throw new FleetCommandError(`Run ${run.runId} is ${run.state}.`);
    return run;
  };

/**
 * Goes on with a run that was paused, halted, left by its runners, or set aside for a rollback that is finished; its
 * failures so far count as accepted.
 *
 * @throws {FleetCommandError} when the latest run is finished, and none was set aside
 */
export const resumeRun =
  (ports: FleetPorts) =>
  async (workOptions: WorkOptions): Promise<FleetStatus> => {
    const latest = await latestRun(ports.ledger);
    const run = latest.state === 'finished' ? await ports.ledger.findSetAside() : latest;
    if (run === null) throw new FleetCommandError(`Run ${latest.runId} is finished.`);
    await ports.ledger.resume(run.runId);
    return work(ports, run, workOptions);
  };

/**
 * Tries failed organizations of the latest run again. Null: all of them.
 *
 * @throws {FleetCommandError} when none of them failed
 */
export const retryRun =
  (ports: FleetPorts) =>
  async (only: readonly OrganizationId[] | null, workOptions: WorkOptions): Promise<FleetStatus> => {
    const run = await latestRun(ports.ledger);
    if ((await ports.ledger.retry(run.runId, only)) === 0) {
      throw new FleetCommandError(`Run ${run.runId} has no such failed organizations.`);
    }
    return work(ports, run, workOptions);
  };
