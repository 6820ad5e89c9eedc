import { z } from 'zod';
import { count, listOf, timestamp } from '../request/schema/fields.ts';

export const runRequest = {
  params: z.object({
    task_name: z
      .string()
      .max(60)
      .regex(/^[a-z][a-z_]*$/, 'must be the name of a background task'),
  }),
};

export const taskReply = z
  .strictObject({
    name: z.string(),
    every_seconds: z.number().min(0),
    last_success_at: timestamp.nullable().meta({ description: 'null before the first' }),
    next_run_at: timestamp.nullable().meta({ description: 'null while it is not started' }),
    last_run_seconds: z.number().min(0).nullable(),
    failures: count.meta({ description: 'Since the start of the process' }),
    running: z.boolean().meta({ description: 'Whether the run that was asked for goes on' }),
  })
  .meta({ id: 'BackgroundTask' });
export const taskList = listOf(taskReply)
  .extend({ instance_id: z.string().meta({ description: 'The process that answers: each has its own' }) })
  .meta({ id: 'BackgroundTaskList' });
