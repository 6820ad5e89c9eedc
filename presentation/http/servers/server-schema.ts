import { z } from 'zod';
import {
  MAX_DATABASES,
  MAX_WEIGHT,
  SERVER_ID_PATTERN,
  SERVER_PROBLEMS,
  SERVER_STATUSES,
} from '../../../domain/databases/server.ts';
import { count, labels, listOf, serverId } from '../request/schema/fields.ts';

const params = z.object({ server_id: serverId });

export const oneRequest = { params };
export const changeRequest = {
  params,
  body: z
    .strictObject({
      status: z
        .enum(SERVER_STATUSES)
        .optional()
        .meta({ description: '`draining` and `disabled`: no new databases; those there stay served' }),
      weight: z
        .int()
        .min(1)
        .max(MAX_WEIGHT)
        .optional()
        .meta({ description: 'A server of twice the weight takes twice the databases' }),
      max_databases: z
        .int()
        .min(0)
        .max(MAX_DATABASES)
        .nullable()
        .optional()
        .meta({ description: 'null: no limit' }),
      labels: labels.optional().meta({ description: 'Replaces all labels' }),
      seen_status: z
        .enum(SERVER_STATUSES)
        .optional()
        .meta({ description: 'The status that you saw: 409 when it has another one by now' }),
    })
    .meta({ example: { status: 'draining' } }),
};

export const serverReply = z
  .strictObject({
    server_id: z.string().regex(SERVER_ID_PATTERN),
    status: z.enum(SERVER_STATUSES),
    weight: count,
    max_databases: count.nullable(),
    databases: count.meta({ description: "Organizations' databases there, those being made included" }),
    labels: z.record(z.string(), z.string()),
    configured: z.boolean().meta({ description: 'Whether the process that answers has its address' }),
    available: z.boolean().meta({ description: 'Whether it answers that process' }),
    problems: z
      .array(z.enum(SERVER_PROBLEMS))
      .meta({ description: 'What that process has found wrong with it, although it answers' }),
    connections: z
      .strictObject({ open: count, share: count, waiting: count })
      .nullable()
      .meta({ description: 'Of that process, to results databases; null when it is not configured' }),
  })
  .meta({ id: 'Server' });
export const serverList = listOf(serverReply).meta({ id: 'ServerList' });
