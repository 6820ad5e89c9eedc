import type { z } from 'zod';
import type { FleetItem, FleetProgress, FleetRun } from '../../../application/ports/fleet/fleet-ledger.ts';
import type { itemReply, progressReply, runReply } from './migration-schema.ts';

export const presentRun = (run: FleetRun): z.output<typeof runReply> => ({
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

export const presentProgress = ({
  run,
  organizations,
  waves,
  counts,
}: FleetProgress): z.output<typeof progressReply> => ({
  ...presentRun(run),
  organizations,
  waves,
  counts,
});

export const presentItem = (item: FleetItem): z.output<typeof itemReply> => ({
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
