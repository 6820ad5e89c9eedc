import { allOf } from '../../domain/page.ts';
import { FleetCommandError } from './fleet-command-error.ts';
import type { FleetPorts } from './fleet-ports.ts';
import { FleetPlanning, type FleetPlan, type PlanOptions } from './plan-fleet.ts';

/** `target` left out: the newest version that this release knows. */
export interface FleetPlanOptions extends Omit<PlanOptions, 'target'> {
  readonly target?: number;
}

/**
 * Says what would be migrated, and in which order, from the ledger alone.
 *
 * @throws {FleetCommandError} for a version that this release does not know
 */
export const planRun =
  (ports: Pick<FleetPorts, 'ledger' | 'migrator' | 'servers'>) =>
  async (options: FleetPlanOptions): Promise<FleetPlan> => {
    const target = await targetOf(ports, options);
    const away = ports.servers.list().flatMap(({ serverId, isAvailable }) => (isAvailable ? [] : [serverId]));
    const planning = new FleetPlanning({ ...options, target, away: new Set(away) });
    for await (const candidate of allOf((page) => ports.ledger.listCandidates({ behind: null }, page)))
      planning.add(candidate);
    return planning.finish();
  };

/** @throws {FleetCommandError} for a version that this release does not know */
export const targetOf = async (
  { migrator }: Pick<FleetPorts, 'migrator'>,
  { target }: Pick<FleetPlanOptions, 'target'>,
): Promise<number> => {
  const newest = await migrator.newestVersion();
  if (target !== undefined && target > newest) {
    throw new FleetCommandError(`This release knows schema versions up to ${newest}, not ${target}.`);
  }
  return target ?? newest;
};
