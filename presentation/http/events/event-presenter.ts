import type { z } from 'zod';
import type { JobEvent } from '../../../domain/events/job-event.ts';
import type { SentEvent } from '../request/event-stream.ts';
import type { eventReply } from './event-schema.ts';

export const presentEvent = (event: JobEvent): z.output<typeof eventReply> => ({
  event_id: event.eventId,
  position: event.position,
  type: event.type,
  job_id: event.jobId,
  campaign_id: event.campaignId,
  status: event.status,
  ts: event.at.toISOString(),
  ...(event.engine !== null && { engine: event.engine }),
  ...(event.worker !== null && { worker: event.worker }),
  ...(event.attempt !== null && { attempt: event.attempt }),
  ...(event.errorCode !== null && { error_code: event.errorCode }),
  ...(event.batchId !== null && { batch_id: event.batchId }),
  ...(event.jobs !== null && { jobs: event.jobs }),
  ...(event.jobIds !== null && { job_ids: [...event.jobIds] }),
});

export const presentSentEvent = (event: JobEvent): SentEvent => ({
  id: event.position,
  type: event.type,
  data: presentEvent(event),
});
