import { z } from 'zod';

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
    }),
  })
  .meta({ id: 'Readiness' });
