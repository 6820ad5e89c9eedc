import { z } from 'zod';
import { EVENT_TYPES, isEventType, type EventType } from '../../../domain/events/job-event.ts';
import { JOB_STATUSES } from '../../../domain/jobs/docking-job.ts';
import { count, limit, timestamp } from '../request/schema/fields.ts';

/** Below the largest number that JSON carries exactly. */
const POSITION = /^\d{1,15}$/;
const LATEST = 'latest';

const MAX_TYPES_LENGTH = 500;

const after = z
  .string()
  .regex(/^(?:latest|\d{1,15})$/, 'must be a position, or "latest"')
  .transform((value): number | 'latest' => (value === LATEST ? LATEST : Number(value)))
  .default(0)
  .meta({
    description:
      'Only events that follow this position: `next_after`, or the id of an event. `latest`: only what happens from now on',
    override: { type: 'string', default: '0' },
  });

const types = z
  .string()
  .max(MAX_TYPES_LENGTH)
  .transform((value, context): readonly EventType[] => {
    const names = [...new Set(value.split(','))];
    const unknown = names.find((name) => !isEventType(name));
    if (unknown === undefined) return names.filter(isEventType);
    context.addIssue(`must be types of events, with commas between them: ${EVENT_TYPES.join(', ')}`);
    return z.NEVER;
  })
  .optional()
  .transform((value) => value ?? EVENT_TYPES)
  .meta({
    description: `With commas between them; all by default: ${EVENT_TYPES.join(', ')}`,
    override: { type: 'string', maxLength: MAX_TYPES_LENGTH },
  });

export const listRequest = {
  query: z.strictObject({ after, types, limit }),
  headers: z.object({
    'Last-Event-ID': z
      .string()
      .regex(POSITION, 'must be the id of an event')
      .transform(Number)
      .optional()
      .meta({
        description: 'To a stream, in place of `after`: the id of the last event that the client has got',
        override: { type: 'string' },
      }),
  }),
};

export const eventReply = z
  .strictObject({
    event_id: z.string(),
    position: count.meta({ description: 'Rises along the events of an organization, with gaps' }),
    type: z.enum(EVENT_TYPES),
    job_id: z.guid().nullable(),
    campaign_id: z.guid().nullable(),
    status: z.enum(JOB_STATUSES).nullable().meta({ description: 'Of its jobs, after the event' }),
    ts: timestamp,
    engine: z.string().optional(),
    worker: z.string().optional(),
    attempt: count.optional(),
    error_code: z.string().optional(),
    batch_id: z.guid().optional(),
    jobs: count.optional().meta({ description: 'How many jobs it is about' }),
    job_ids: z.array(z.guid()).optional().meta({ description: 'Some of these jobs at least' }),
  })
  .meta({ id: 'Event' });

export const eventPage = z
  .strictObject({
    items: z.array(eventReply),
    next_after: count.meta({ description: '`after` of the next request' }),
  })
  .meta({ id: 'EventPage' });
