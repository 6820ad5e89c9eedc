import { beginRun, isTo, work, type WorkOptions } from './begin-run.ts';
import type { FleetPorts } from './fleet-ports.ts';
import { amountOf, type FleetPlan, type Quantity } from './plan-fleet.ts';
import { planRun, targetOf, type FleetPlanOptions } from './plan-run.ts';
import { assertRunning, unfinishedRun, type FleetStatus } from './run-status.ts';

export interface FleetRunOptions extends FleetPlanOptions {
  /** Failures that the run takes without halting. */
  readonly errorBudget: Quantity;
}

/** A run that was worked on; null when every organization chosen was up to date, so that there was nothing to do. */
export interface FleetResult {
  readonly plan: FleetPlan;
  readonly status: FleetStatus | null;
}

/**
 * Brings organizations to the target version. Goes on with an unfinished run to the same version, whichever process
 * began it; otherwise begins a new one. Safe to call in several processes at once: they share the work.
 *
 * @throws {FleetCommandError} when the unfinished run is another one that this one does not include, or waits for an
 * operator
 */
export const runFleet =
  (ports: FleetPorts) =>
  async (options: FleetRunOptions, workOptions: WorkOptions): Promise<FleetResult> => {
    const targetVersion = await targetOf(ports, options);
    const plan = planRun(ports);
    const wholeFleet = options.only === null;
    for (;;) {
      const unfinished = await unfinishedRun(ports.ledger);
      if (unfinished !== null && isTo(unfinished, targetVersion)) {
        assertRunning(unfinished);
        const status = await work(ports, unfinished, workOptions);
        if (unfinished.wholeFleet || status.run.state !== 'finished')
          return { plan: await plan(options), status };
      }
      // A run of the whole fleet includes what the other one has left to do.
      if (unfinished !== null && !wholeFleet) assertRunning(unfinished);
      const planned = await plan(options);
      const { items } = planned;
      if (items.length === 0) return { plan: planned, status: null };
      const errorBudget = amountOf(options.errorBudget, items.length);
      const replaces = unfinished?.runId ?? null;
      const run = await beginRun(
        ports,
        { kind: 'migrate', targetVersion, wholeFleet, errorBudget, replaces, items },
        targetVersion,
      );
      if (run !== null) return { plan: planned, status: await work(ports, run, workOptions) };
    }
  };
