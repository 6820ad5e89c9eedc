import type { FleetPlan, SkipReason } from '../../application/fleet/plan-fleet.ts';
import type { FleetStatus } from '../../application/fleet/run-status.ts';
import { SET_ASIDE, type FleetItem, type FleetRun } from '../../application/ports/fleet/fleet-ledger.ts';
import { formatSeconds } from './fleet-progress.ts';

/** Organizations named in one line of a text. */
const MAX_NAMED = 10;

const SKIPPED: Readonly<Record<SkipReason, string>> = {
  current: 'up to date already',
  ahead: 'at a newer version; only a rollback takes them back',
  not_ready: 'not ready: their databases are being made, have failed to be made, or are on their way out',
  no_database: 'without a database; the first access makes one that is up to date',
};

/** A plan for a person: who is migrated when, and why the others are not. */
export const planLines = ({ target, items, skipped, skippedCounts, waves }: FleetPlan): readonly string[] => {
  const lines = [
    items.length === 0
      ? `Nothing to do: no organization chosen is behind schema version ${target}.`
      : `${plural(items.length, 'organization')} to be brought to schema version ${target}:`,
  ];
  for (const [wave, size] of waves.entries()) {
    if (size === 0) continue;
    const of = items.filter((item) => item.wave === wave);
    const title = wave === 0 ? 'canaries' : `wave ${wave}`;
    const from = [...new Set(of.map(({ fromVersion }) => fromVersion))].toSorted((a, b) => a - b);
    const urgent = of.filter((item) => item.urgent).length;
    const waiting = urgent === 0 ? '' : `, ${urgent} of them first: requests are being turned away`;
    lines.push(`  ${title.padEnd(9)} ${size}, from version ${from.join(', ')}${waiting} (${named(of)})`);
  }
  const reasons = new Map<SkipReason, { organizationId: string }[]>();
  for (const { organizationId, reason } of skipped) {
    reasons.set(reason, [...(reasons.get(reason) ?? []), { organizationId }]);
  }
  if (reasons.size > 0) lines.push('Left out:');
  for (const [reason, of] of reasons) {
    const count = skippedCounts[reason];
    lines.push(`  ${count} ${SKIPPED[reason]}${reason === 'current' ? '' : ` (${named(of, count)})`}`);
  }
  return lines;
};

/** How a run stands or ended, what failed and why, and what to do about it. */
export const statusLines = ({
  run,
  counts,
  organizations,
  failures,
  deferred,
  setAside,
}: FleetStatus): readonly string[] => {
  const open = counts.pending + counts.running + counts.deferred;
  const lines = [
    `Run ${run.runId} (${taskOf(run)}) ${stateOf(run)}.`,
    `  ${counts.done} of ${plural(organizations, 'organization')} done, ${counts.failed} failed, ${open} not yet done` +
      (counts.deferred > 0 ? `, ${counts.deferred} of these put off` : ''),
  ];
  if (failures.length > 0) {
    lines.push('', 'Failed, with the cause; their data is as it was before the migration that failed:');
    const width = Math.max(...failures.map(({ organizationId }) => organizationId.length));
    for (const item of failures) lines.push(failureLine(item, width));
  }
  const reasons = new Map<string, FleetItem[]>();
  for (const item of deferred) {
    const reason = item.error ?? 'no cause is on record';
    reasons.set(reason, [...(reasons.get(reason) ?? []), item]);
  }
  if (reasons.size > 0) lines.push('', 'Put off, and tried again by the next "migrate run":');
  for (const [reason, of] of reasons) lines.push(`  ${of.length}: ${reason} (${named(of)})`);
  const advice = adviceFor(run, failures.length, open);
  if (advice !== null) lines.push('', advice);
  if (setAside !== null)
    lines.push(
      '',
      `Run ${setAside.runId} was set aside for this one: "migrate resume" goes on with it afterwards.`,
    );
  return lines;
};

const failureLine = (item: FleetItem, width: number): string =>
  `  ${item.organizationId.padEnd(width)}  ${item.error ?? 'no cause is on record'}`;

const taskOf = ({ kind, targetVersion }: FleetRun): string => {
  if (kind === 'migrate') return `to schema version ${targetVersion}`;
  return targetVersion === null ? 'back to the versions before' : `back to schema version ${targetVersion}`;
};

const stateOf = ({ state, reason, createdAt, finishedAt }: FleetRun): string => {
  const because = reason === null ? '' : `: ${reason}`;
  if (state === 'running') return 'is under way';
  if (reason === SET_ASIDE) return `is ${reason}`;
  if (finishedAt === null) return `is ${state}${because}`;
  const seconds = (finishedAt.getTime() - createdAt.getTime()) / 1000;
  return `is finished${because}, after ${formatSeconds(seconds)}`;
};

const adviceFor = ({ state, reason }: FleetRun, failed: number, open: number): string | null => {
  if (reason === SET_ASIDE) return 'Go on with it by "migrate resume".';
  if (state === 'halted') {
    return (
      'Nothing more is begun. When the cause is mended: "migrate retry" tries the failed ones again and goes on; ' +
      '"migrate resume" goes on without them; "migrate rollback" takes organizations back.'
    );
  }
  if (state === 'paused') return 'Go on with it by "migrate resume".';
  if (state === 'running' && open > 0) return 'When its process has ended: "migrate resume" goes on with it.';
  return failed > 0 ? 'When the causes are mended: "migrate retry" tries the failed ones again.' : null;
};

export const planJson = ({ target, items, skipped, skippedCounts, waves }: FleetPlan): object => ({
  target_version: target,
  waves,
  organizations: items.map((item) => ({
    org_id: item.organizationId,
    wave: item.wave,
    from_version: item.fromVersion,
    to_version: item.toVersion,
    urgent: item.urgent,
  })),
  skipped: skipped.map(({ organizationId, reason }) => ({ org_id: organizationId, reason })),
  skipped_counts: skippedCounts,
});

export const statusJson = ({
  run,
  counts,
  organizations,
  waves,
  failures,
  deferred,
  setAside,
}: FleetStatus): object => ({
  run_id: run.runId,
  kind: run.kind,
  target_version: run.targetVersion,
  state: run.state,
  reason: run.reason,
  wave: run.wave,
  waves,
  error_budget: run.errorBudget,
  organizations,
  counts,
  created_at: run.createdAt.toISOString(),
  finished_at: run.finishedAt?.toISOString() ?? null,
  failures: failures.map(itemJson),
  deferred: deferred.map(itemJson),
  set_aside_run_id: setAside?.runId ?? null,
});

const itemJson = (item: FleetItem): object => ({
  org_id: item.organizationId,
  wave: item.wave,
  from_version: item.fromVersion,
  to_version: item.toVersion,
  attempts: item.attempts,
  error: item.error,
});

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const named = (of: readonly { readonly organizationId: string }[], count = of.length): string => {
  const names = of.slice(0, MAX_NAMED).map(({ organizationId }) => organizationId);
  return names.join(', ') + (count > MAX_NAMED ? `, and ${count - MAX_NAMED} more` : '');
};
