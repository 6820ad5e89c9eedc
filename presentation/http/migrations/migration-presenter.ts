import type { FleetItem, FleetProgress, FleetRun } from '../../../application/ports/fleet/fleet-ledger.ts';

export const presentRun = (run: FleetRun) => ({
  run_id: run.runId,
  kind: run.kind,
  target_version: run.targetVersion,
  state: run.state,
  reason: run.reason,
  wave: run.wave,
  error_budget: run.errorBudget,
  created_at: run.createdAt.toISOString(),
  updated_at: run.updatedAt.toISOString(),
  finished_at: run.finishedAt?.toISOString() ?? null,
});

export const presentProgress = ({ run, organizations, waves, counts }: FleetProgress) => ({
  ...presentRun(run),
  organizations,
  waves,
  counts,
});

export const presentItem = (item: FleetItem) => ({
  org_id: item.organizationId,
  wave: item.wave,
  state: item.state,
  from_version: item.fromVersion,
  to_version: item.toVersion,
  attempts: item.attempts,
  error: item.error,
  duration_ms: item.durationMs,
  updated_at: item.updatedAt.toISOString(),
});
