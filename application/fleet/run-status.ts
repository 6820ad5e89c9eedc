import { allOf } from '../../domain/page.ts';
import type { FleetItem, FleetLedger, FleetProgress, FleetRun } from '../ports/fleet/fleet-ledger.ts';
import { FleetCommandError } from './fleet-command-error.ts';
import type { FleetPorts } from './fleet-ports.ts';

export interface FleetStatus extends FleetProgress {
  readonly failures: readonly FleetItem[];
  /** Those that were put off: in use, or their server does not answer. */
  readonly deferred: readonly FleetItem[];
  /** With a rollback: the run that it set aside, and that can be resumed. */
  readonly setAside: FleetRun | null;
}

/** Whether nobody works on the run, and what is left is put off. */
export const isLeftDeferred = ({ run, counts }: FleetProgress): boolean =>
  run.state === 'running' && counts.deferred > 0 && counts.running === 0;

/** The latest run, or the one asked for; null when there is none. */
export const runStatus =
  ({ ledger }: Pick<FleetPorts, 'ledger'>) =>
  async (runId?: number): Promise<FleetStatus | null> => {
    const id = runId ?? (await ledger.latestRun())?.runId;
    const progress = id === undefined ? null : await ledger.progress(id);
    return progress === null ? null : withFailures(ledger, progress);
  };

export const withFailures = async (ledger: FleetLedger, progress: FleetProgress): Promise<FleetStatus> => {
  const listed = async (state: 'failed' | 'deferred'): Promise<readonly FleetItem[]> => {
    const items: FleetItem[] = [];
    if (progress.counts[state] > 0)
      for await (const item of itemsOf(ledger, progress.run.runId, state)) items.push(item);
    return items;
  };
  return {
    ...progress,
    failures: await listed('failed'),
    deferred: await listed('deferred'),
    setAside: progress.run.kind === 'rollback' ? await ledger.findSetAside() : null,
  };
};

/** @param state null: items of every state */
export const itemsOf = (
  ledger: FleetLedger,
  runId: number,
  state: FleetItem['state'] | null,
): AsyncIterable<FleetItem> => allOf((page) => ledger.listItems(runId, { state }, page));

export const unfinishedRun = async (ledger: FleetLedger): Promise<FleetRun | null> => {
  const latest = await ledger.latestRun();
  return latest?.state === 'finished' ? null : latest;
};

/** @throws {FleetCommandError} when there is none */
export const latestRun = async (ledger: FleetLedger): Promise<FleetRun> => {
  const latest = await ledger.latestRun();
  if (latest === null) throw new FleetCommandError('No migration was ever run.');
  return latest;
};

/** @throws {FleetCommandError} when the run waits for an operator */
export const assertRunning = (run: FleetRun): void => {
  if (run.state === 'running') return;
  throw new FleetCommandError(
    `Run ${run.runId} is ${run.state}: ${run.reason ?? 'no reason is on record'}. ` +
      'Go on with it by "migrate resume", or try what failed again by "migrate retry".',
  );
};
