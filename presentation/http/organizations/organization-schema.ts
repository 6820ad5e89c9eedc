import { z } from 'zod';
import { DATABASE_STATES } from '../../../domain/databases/results-database.ts';
import { ORGANIZATION_ID_PATTERN } from '../../../domain/organizations/organization-id.ts';
import { ORGANIZATION_STATUSES } from '../../../domain/organizations/organization.ts';
import { textCursor } from '../request/schema/cursor.ts';
import { limit, organizationId, pageOf, timestamp } from '../request/schema/fields.ts';

/** Organizations are listed in the order of their ids. */
export const organizationCursor = textCursor(ORGANIZATION_ID_PATTERN);

const organizationName = z.string().trim().min(1).max(200);

export const createRequest = (maxOrganizationIdLength: number) => ({
  body: z.strictObject({ org_id: organizationId(maxOrganizationIdLength), name: organizationName }),
});
export const listRequest = { query: z.strictObject({ limit, cursor: organizationCursor.schema }) };
export const changeRequest = { body: z.strictObject({ name: organizationName.optional() }) };

export const organizationItem = z
  .strictObject({
    org_id: z.string(),
    name: z.string(),
    status: z.enum(ORGANIZATION_STATUSES),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'OrganizationItem' });

export const organizationReply = organizationItem
  .extend({
    database: z
      .strictObject({ name: z.string(), state: z.enum(DATABASE_STATES), schema_version: z.int().nullable() })
      .nullable()
      .meta({ description: 'null before first use' }),
  })
  .meta({ id: 'Organization' });
export const organizationPage = pageOf(organizationItem).meta({ id: 'OrganizationPage' });
