import type { z } from 'zod';
import {
  MOST_COUNTED,
  waitCauseOf,
  type EngineQueue,
  type QueueSurvey,
  type WaitCause,
} from '../../../domain/jobs/job-queue.ts';
import type { OrganizationPolicy } from '../../../domain/organizations/organization-policy.ts';
import type { queueReply } from './queue-schema.ts';

export const presentQueue = (
  { engines, isCut }: QueueSurvey,
  { maxRunningJobs }: OrganizationPolicy,
): z.output<typeof queueReply> => {
  const leases = engines.reduce((sum, { leased }) => sum + leased, 0);
  return {
    by_engine: engines.map((queue) => {
      const cause = waitCauseOf(queue, { leases, maxRunningJobs });
      return {
        engine: queue.engine,
        waiting: Math.min(queue.due + queue.delayed, MOST_COUNTED),
        delayed: queue.delayed,
        oldest_at: queue.oldestAt?.toISOString() ?? null,
        next_due_at: queue.nextDueAt?.toISOString() ?? null,
        running: queue.leased + queue.unleased,
        lapsed: queue.lapsed,
        workers_seen: queue.workers.map(({ name, lastSeenAt }) => ({
          name,
          last_seen_at: lastSeenAt.toISOString(),
        })),
        waits_for: cause,
        reason: cause === null ? null : SENTENCES[cause](queue, maxRunningJobs),
      };
    }),
    is_complete: !isCut,
    counted_up_to: MOST_COUNTED,
  };
};

const SENTENCES: Readonly<Record<WaitCause, (queue: EngineQueue, maxRunningJobs?: number) => string>> = {
  time: ({ nextDueAt }) => `None of the jobs may be claimed before ${nextDueAt?.toISOString() ?? 'later'}.`,
  running_limit: (_queue, maxRunningJobs) =>
    `The organization's workers hold as many leases as it allows: max_running_jobs is ${maxRunningJobs}.`,
  busy_workers: () => 'The workers of this engine are busy with other jobs.',
  worker: ({ workers: [latest] }) =>
    latest === undefined
      ? 'No worker of this engine has been seen.'
      : `No worker of this engine was seen since ${latest.lastSeenAt.toISOString()}.`,
};
