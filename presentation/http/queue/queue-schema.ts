import { z } from 'zod';
import { MOST_COUNTED, MOST_ENGINES, WAIT_CAUSES } from '../../../domain/jobs/job-queue.ts';
import { count, timestamp } from '../request/schema/fields.ts';

const engineQueue = z
  .strictObject({
    engine: z.string(),
    waiting: count.meta({ description: 'Pending jobs' }),
    delayed: count.meta({ description: 'Those of them that may not be claimed yet' }),
    oldest_at: timestamp
      .nullable()
      .meta({ description: 'When the oldest of the pending jobs was submitted' }),
    next_due_at: timestamp
      .nullable()
      .meta({ description: 'When the first of the delayed jobs may be claimed' }),
    running: count,
    lapsed: count.meta({
      description: 'Jobs whose worker is not heard of any longer; the next claim takes them',
    }),
    workers_seen: z
      .array(z.strictObject({ name: z.string(), last_seen_at: timestamp }))
      .meta({ description: 'Workers that have held a lease lately, the latest first' }),
    waits_for: z.enum(WAIT_CAUSES).nullable().meta({ description: 'null where nothing waits' }),
    reason: z.string().nullable().meta({ description: 'The same, for people' }),
  })
  .meta({ id: 'EngineQueue' });

export const queueReply = z
  .strictObject({
    by_engine: z.array(engineQueue),
    is_complete: z.boolean().meta({ description: `false where there are more than ${MOST_ENGINES} engines` }),
    counted_up_to: count.meta({
      description: 'A count that is as large means: so many at least',
      example: MOST_COUNTED,
    }),
  })
  .meta({ id: 'Queue' });
