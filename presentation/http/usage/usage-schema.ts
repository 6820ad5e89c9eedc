import { z } from 'zod';
import { MAX_USAGE_DAYS } from '../../../application/usage/show-usage.ts';
import { count, day } from '../request/schema/fields.ts';

export const usageRequest = {
  query: z.strictObject({
    from: day.optional().meta({ description: 'The first day, in UTC; default: 29 days before `to`' }),
    to: day.optional().meta({ description: 'The last day, in UTC; default: today' }),
  }),
};

const amounts = {
  requests: count.meta({ description: 'Requests about the organization, by whoever made them' }),
  refusals: count.meta({ description: 'Those that a limit refused, or a database that was away' }),
  db_ms: count.meta({ description: 'How long connections to its database were held' }),
  egress_bytes: count.meta({ description: 'Bytes of answers' }),
  jobs: count.meta({ description: 'Jobs that were submitted' }),
  core_seconds: z.number().min(0).meta({ description: 'What the attempts have cost that workers handed in' }),
};

const usageDay = z
  .strictObject({
    day,
    ...amounts,
    stored_bytes: count.nullable().meta({
      description: 'The largest size of the database, without files; null where it was not measured',
    }),
  })
  .meta({ id: 'UsageDay' });

export const usageReply = z
  .strictObject({
    from: day,
    to: day,
    total: z.strictObject(amounts),
    days: z
      .array(usageDay)
      .max(MAX_USAGE_DAYS)
      .meta({ description: 'The days on which something was used, the earliest first' }),
  })
  .meta({ id: 'Usage' });
