import type { z } from 'zod';
import type { FleetItem, FleetProgress, FleetRun } from '../../../application/ports/fleet/fleet-ledger.ts';
import type { StartedRun } from '../../../application/fleet/steer-over-http.ts';
import type { itemReply, progressReply, runReply, startReply } from './migration-schema.ts';

export const presentRun = (run: FleetRun): z.output<typeof runReply> => ({
  run_id: run.runId,
  kind: run.kind,
  target_version: run.targetVersion,
  state: run.state,
  reason: run.reason,
  wave: run.wave,
  error_budget: run.errorBudget,
  served: run.serviceSchemaVersion !== null,
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

const SAMPLE = 100;

export const presentStart = ({ plan, progress }: StartedRun): z.output<typeof startReply> => ({
  plan: {
    target_version: plan.target,
    organizations: plan.items.length,
    waves: [...plan.waves],
    sample: plan.items.slice(0, SAMPLE).map(({ organizationId }) => organizationId),
    skipped: plan.skippedCounts,
  },
  run: progress && presentProgress(progress),
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
