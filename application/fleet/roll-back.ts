import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { holdsResults } from '../../domain/databases/results-database.ts';
import { allOf } from '../../domain/page.ts';
import type { FleetLedger, FleetRun, PlannedItem } from '../ports/fleet/fleet-ledger.ts';
import { beginRun, work, type WorkOptions } from './begin-run.ts';
import { FleetCommandError } from './fleet-command-error.ts';
import type { FleetPorts } from './fleet-ports.ts';
import { assertRunning, itemsOf, latestRun, type FleetStatus } from './run-status.ts';

export interface RollbackOptions {
  /** Which organizations of the latest migration: these, or those of one wave. */
  readonly of: readonly OrganizationId[] | { readonly wave: number };
  /** Left out: the version that each had before the latest migration. */
  readonly target?: number;
}

/**
 * Takes organizations back to an earlier version, with the migrations' own way down. Goes on with a rollback that is
 * unfinished.
 *
 * @throws {FleetCommandError} when there is nothing to take back, or another run is unfinished
 */
export const rollBack =
  (ports: FleetPorts) =>
  async (options: RollbackOptions, workOptions: WorkOptions): Promise<FleetStatus> => {
    const latest = await latestRun(ports.ledger);
    if (latest.kind === 'rollback' && latest.state !== 'finished') {
      assertRunning(latest);
      return work(ports, latest, workOptions);
    }
    return work(ports, await beginRollback(ports, latest, options), workOptions);
  };

/**
 * Writes a rollback down.
 *
 * @param latest the run that is taken back
 * @param serviceSchemaVersion see `FleetRun`
 * @throws {FleetCommandError} when there is nothing to take back, or another run is under way
 */
export const beginRollback = async (
  ports: Pick<FleetPorts, 'ledger'>,
  latest: FleetRun,
  { of, target }: RollbackOptions,
  serviceSchemaVersion?: number,
): Promise<FleetRun> => {
  const items = await itemsToTakeBack(ports.ledger, latest, {
    of,
    ...(target !== undefined && { target }),
  });
  if (items.length === 0) {
    throw new FleetCommandError('None of these organizations has a version that could be taken back.');
  }
  const run = await beginRun(
    ports,
    {
      kind: 'rollback',
      targetVersion: target ?? null,
      wholeFleet: false,
      errorBudget: 0,
      replaces: latest.state === 'finished' ? null : latest.runId,
      items,
      ...(serviceSchemaVersion !== undefined && { serviceSchemaVersion }),
    },
    null,
  );
  if (run === null) throw new FleetCommandError('Another run has just begun.');
  return run;
};

const itemsToTakeBack = async (
  ledger: FleetLedger,
  latest: FleetRun,
  { of, target }: RollbackOptions,
): Promise<PlannedItem[]> => {
  const chosen = 'wave' in of ? null : new Set(of);
  /** Versions before the latest run, of those that it had. */
  const before = new Map<OrganizationId, number>();
  for await (const item of itemsOf(ledger, latest.runId, null)) {
    const isChosen =
      chosen === null ? 'wave' in of && item.wave === of.wave : chosen.has(item.organizationId);
    if (isChosen) before.set(item.organizationId, item.fromVersion);
  }
  const items: PlannedItem[] = [];
  for await (const candidate of allOf((page) => ledger.listCandidates({ behind: null }, page))) {
    const { organizationId, schemaVersion, state } = candidate;
    const isChosen = chosen === null ? before.has(organizationId) : chosen.has(organizationId);
    const toVersion = target ?? before.get(organizationId);
    if (!isChosen || toVersion === undefined || schemaVersion === null) continue;
    if (!holdsResults(state) || schemaVersion <= toVersion) continue;
    items.push({ organizationId, wave: 1, urgent: false, fromVersion: schemaVersion, toVersion });
  }
  return items;
};
