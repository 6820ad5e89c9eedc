import type { FleetRun } from '../ports/fleet/fleet-ledger.ts';
import { work, type WorkOptions } from './begin-run.ts';
import type { FleetPorts } from './fleet-ports.ts';

/** The run under way that the service works on, when this process knows enough migrations for it; null: there is none. */
export const findServedRun =
  ({ ledger, migrator }: Pick<FleetPorts, 'ledger' | 'migrator'>) =>
  async (): Promise<FleetRun | null> => {
    const run = await ledger.latestRun();
    if (run?.state !== 'running' || run.serviceSchemaVersion === null) return null;
    return run.serviceSchemaVersion <= (await migrator.newestVersion()) ? run : null;
  };

/** Works on a run like a command does, beside other processes. */
export const serveRun =
  (ports: FleetPorts) =>
  async (run: FleetRun, options: WorkOptions): Promise<void> => {
    await work(ports, run, options);
  };
