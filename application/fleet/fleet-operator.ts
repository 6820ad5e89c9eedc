import type { FleetPorts } from './fleet-ports.ts';
import { planRun, targetOf, type FleetPlanOptions } from './plan-run.ts';
import { rollBack } from './roll-back.ts';
import { runFleet } from './run-fleet.ts';
import { runStatus } from './run-status.ts';
import { pauseRun, resumeRun, retryRun } from './steer-run.ts';

/** What an operator does with the schema versions of all organizations. Plans are made from the ledger alone. */
export type FleetOperator = ReturnType<typeof fleetOperator>;

/** Gives the use cases on fleet runs their ports. */
export const fleetOperator = (ports: FleetPorts) => ({
  plan: planRun(ports),
  target: (options: Pick<FleetPlanOptions, 'target'>) => targetOf(ports, options),
  run: runFleet(ports),
  rollback: rollBack(ports),
  pause: pauseRun(ports),
  resume: resumeRun(ports),
  retry: retryRun(ports),
  status: runStatus(ports),
});
