import { z } from 'zod';
import type { DatabaseView } from '../../../application/databases/database-view.ts';
import { DATABASE_STATES } from '../../../domain/databases/results-database.ts';
import { ORGANIZATION_ID_PATTERN } from '../../../domain/organizations/organization-id.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../routing/reply.ts';
import { organizationRoute, platformRoute, type Route } from '../routing/route.ts';
import { presentPage, textCursor } from '../request/schema/cursor.ts';
import { limit, pageOf, timestamp } from '../request/schema/fields.ts';
import { presentDatabase } from './database-presenter.ts';

const tag = 'databases';
const databaseCursor = textCursor(ORGANIZATION_ID_PATTERN);
const count = z.int().min(0);

const databaseReply = z
  .strictObject({
    org_id: z.string(),
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

const one = (view: DatabaseView) => ok(presentDatabase(view));

export const databaseRoutes = (deps: HttpDependencies): readonly Route[] => [
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/admin/databases',
    name: 'listDatabases',
    summary: 'List results databases in the order of the organization ids; opens none',
    tag,
    request: {
      query: z.strictObject({
        state: z.enum(DATABASE_STATES).optional(),
        limit,
        cursor: databaseCursor.schema,
      }),
    },
    replies: { 200: { description: 'One page', schema: pageOf(databaseReply).meta({ id: 'DatabasePage' }) } },
    handle: async ({ input: { query } }) => {
      const filter = { state: query.state ?? null };
      const page = await deps.listDatabases.execute(filter, { limit: query.limit, after: query.cursor });
      return ok(presentPage(page, presentDatabase, databaseCursor));
    },
  }),
  organizationRoute(['platform_admin'], {
    method: 'get',
    path: '/admin/databases/{org_id}',
    name: 'getDatabase',
    summary: "Show an organization's results database; does not open it",
    tag,
    request: {},
    replies: { 200: { description: 'The database', schema: databaseReply } },
    errors: ['organization_not_found', 'organization_database_not_found'],
    handle: async ({ organizationId }) => one(await deps.getDatabase.execute(organizationId)),
  }),
  organizationRoute(['platform_admin'], {
    method: 'post',
    path: '/admin/databases/{org_id}/provision',
    name: 'provisionDatabase',
    summary: "Make an organization's results database, or find it ready",
    tag,
    request: {},
    replies: { 200: { description: 'The database, ready', schema: databaseReply } },
    errors: [
      'organization_not_found',
      'organization_suspended',
      'organization_not_ready',
      'database_provisioning_failed',
      'no_server_available',
    ],
    handle: async ({ actor, organizationId }) =>
      one(await deps.provisionDatabase.execute(actor, organizationId)),
  }),
];
