import type { z } from 'zod';
import type { TaskReport } from '../../../application/ports/runtime/background-tasks.ts';
import type { taskReply } from './task-schema.ts';

export const presentTask = (task: TaskReport): z.output<typeof taskReply> => ({
  name: task.name,
  every_seconds: task.everySeconds,
  last_success_at: task.lastSuccessAt?.toISOString() ?? null,
  next_run_at: task.nextRunAt?.toISOString() ?? null,
  last_run_seconds: task.lastRunSeconds,
  failures: task.failures,
  running: task.isRunning,
});
