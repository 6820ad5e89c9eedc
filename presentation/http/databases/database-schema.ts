import { z } from 'zod';
import { DATABASE_STATES } from '../../../domain/databases/results-database.ts';
import { ORGANIZATION_ID_PATTERN } from '../../../domain/organizations/organization-id.ts';
import { textCursor } from '../request/schema/cursor.ts';
import { count, limit, pageOf, serverId, timestamp } from '../request/schema/fields.ts';

/** Databases are listed in the order of their organizations' ids. */
export const databaseCursor = textCursor(ORGANIZATION_ID_PATTERN);

export const listRequest = {
  query: z.strictObject({
    state: z.enum(DATABASE_STATES).optional(),
    server_id: serverId.optional(),
    limit,
    cursor: databaseCursor.schema,
  }),
};

export const databaseReply = z
  .strictObject({
    org_id: z.string(),
    server_id: z.string().meta({ description: 'The server that holds it, or is to hold it' }),
    database: z.string(),
    state: z.enum(DATABASE_STATES),
    schema_version: z.int().nullable(),
    generation: z.int(),
    last_error: z.string().nullable(),
    created_at: timestamp,
    updated_at: timestamp,
    pool: z
      .strictObject({ open: count, in_use: count, idle: count, waiting: count })
      .nullable()
      .meta({ description: "This process's pool; null when it has none" }),
  })
  .meta({ id: 'Database' });
export const databasePage = pageOf(databaseReply).meta({ id: 'DatabasePage' });
