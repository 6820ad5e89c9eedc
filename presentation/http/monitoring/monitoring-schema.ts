import { z } from 'zod';
import { SERVER_PROBLEMS } from '../../../domain/databases/server.ts';

export const healthReply = z.strictObject({ status: z.literal('ok') });

const checks = z.record(z.string(), z.boolean());

export const readinessReply = z
  .strictObject({
    status: z.enum(['ready', 'not_ready']),
    checks: z.strictObject({
      databases: checks,
      metadata_db: z.boolean(),
      org_databases: checks,
      servers: checks,
      change_feed: z.boolean(),
      server_problems: z
        .record(z.string(), z.array(z.enum(SERVER_PROBLEMS)))
        .meta({ description: 'Of servers that answer; they decide neither `status` nor the HTTP status' }),
    }),
  })
  .meta({ id: 'Readiness' });
