import type { z } from 'zod';
import type { Attention } from '../../../application/operators/attention-item.ts';
import { isLive, type Overview } from '../../../application/operators/overview.ts';
import type { BusyOrganization, ProcessBeat } from '../../../application/ports/operators/process-ledger.ts';
import type { OperatorEvent } from '../../../application/operators/operator-reader.ts';
import type { SentEvent } from '../request/event-stream.ts';
import { presentServer } from '../servers/server-presenter.ts';
import type { InstanceReply, overviewReply } from './overview-schema.ts';

export const presentOverview = (overview: Overview): z.output<typeof overviewReply> => ({
  at: overview.at.toISOString(),
  needs_you: overview.needsYou.map(presentAttention),
  organizations: {
    total: overview.organizations.total,
    by_status: overview.organizations.byStatus,
    by_database_state: overview.organizations.byDatabaseState,
  },
  servers: overview.servers.map(presentServer),
  processes: {
    live: overview.processes.live,
    silent: overview.processes.silent,
    requests_per_second: overview.processes.requestsPerSecond,
  },
  busiest: overview.busiest.map(presentBusy),
  run: presentUnfinished(overview.run),
});

const presentUnfinished = (run: Overview['run']) =>
  run && { run_id: run.runId, kind: run.kind, state: run.state, reason: run.reason, counts: run.counts };

export const presentOperatorEvent = (event: OperatorEvent): SentEvent => ({
  id: event.id,
  type: event.type,
  data: dataOf(event),
});

const dataOf = (event: OperatorEvent): object => {
  if (event.type === 'overview') return presentOverview(event.overview);
  if (event.type === 'run') return { run: presentUnfinished(event.run) };
  const { pass } = event;
  return { pass: pass && { ended_at: pass.endedAt.toISOString(), dry_run: pass.dryRun } };
};

const presentAttention = (attention: Attention) => ({
  code: attention.code,
  severity: attention.severity,
  sentence: attention.sentence,
  next_step: attention.nextStep,
  organizations: attention.organizations,
  sample: [...attention.sample],
  server_id: attention.serverId,
  run_id: attention.runId,
});

const presentBusy = ({ organizationId, requestsPerSecond, open, waiting }: BusyOrganization) => ({
  org_id: organizationId,
  requests_per_second: requestsPerSecond,
  open,
  waiting,
});

/** @param answering the process that answers */
export const presentInstance =
  (answering: string) =>
  (beat: ProcessBeat): InstanceReply => ({
    instance_id: beat.instanceId,
    answers: beat.instanceId === answering,
    version: beat.version,
    started_at: beat.startedAt.toISOString(),
    beat_at: beat.beatAt.toISOString(),
    silent: !isLive(beat),
    event_loop_utilization: beat.loopUtilization,
    rss_bytes: beat.rssBytes,
    requests_per_second: beat.requestsPerSecond,
    pools: beat.pools,
    metadata: {
      circuit: beat.metadata.circuit,
      in_use: beat.metadata.inUse,
      idle: beat.metadata.idle,
      waiting: beat.metadata.waiting,
    },
    servers: beat.servers.map(({ serverId, ...server }) => ({ server_id: serverId, ...server })),
    busiest: beat.busiest.map(presentBusy),
    failing: beat.failing.map(({ organizationId, code, failures }) => ({
      org_id: organizationId,
      code,
      failures,
    })),
  });
