import { z } from 'zod';
import { DATABASE_STATES } from '../../../domain/databases/results-database.ts';
import { ORGANIZATION_ID_PATTERN } from '../../../domain/organizations/organization-id.ts';
import { textCursor } from '../request/schema/cursor.ts';
import { count, limit, pageOf, serverId, timestamp } from '../request/schema/fields.ts';

/** Databases are listed in the order of their organizations' ids. */
export const databaseCursor = textCursor(ORGANIZATION_ID_PATTERN);

/** PostgreSQL's largest `integer`. */
const MAX_GENERATION = 2_147_483_647;

export const listRequest = {
  query: z.strictObject({
    state: z.enum(DATABASE_STATES).optional(),
    server_id: serverId.optional(),
    limit,
    cursor: databaseCursor.schema,
  }),
};

export const retireRequest = {
  body: z
    .strictObject({
      seen_generation: z.int().min(0).max(MAX_GENERATION).meta({
        description: 'Of the database that you saw: 409 when the organization has another one by now',
      }),
    })
    .meta({ example: { seen_generation: 1 } }),
};
export const retireReply = z
  .strictObject({
    org_id: z.string(),
    renamed_to: z
      .string()
      .nullable()
      .meta({ description: 'What it is called from now on; null: it was gone already' }),
  })
  .meta({ id: 'RetiredDatabase' });

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
