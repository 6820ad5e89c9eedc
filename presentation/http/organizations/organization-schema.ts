import { z } from 'zod';
import { DATABASE_STATES } from '../../../application/ports/database-ledger.ts';
import { ORGANIZATION_ID_PATTERN } from '../../../domain/organizations/organization-id.ts';
import { ORGANIZATION_STATUSES } from '../../../domain/organizations/organization.ts';
import { textCursor } from '../schema/cursor.ts';
import { jsonObject, limit, organizationId, pageOf, slug, timestamp } from '../schema/fields.ts';

const organizationName = z.string().trim().min(1).max(200);

/** Lists of organizations are in the order of their ids. */
export const organizationCursor = textCursor(ORGANIZATION_ID_PATTERN);
/** Positions in the trail: what a PostgreSQL bigint holds for certain. */
export const auditCursor = textCursor(/^\d{1,18}$/);

export const createRequest = (maxIdLength: number) => ({
  body: z.strictObject({ org_id: organizationId(maxIdLength), name: organizationName }),
});
export const listRequest = { query: z.strictObject({ limit, cursor: organizationCursor.schema }) };
export const changeRequest = { body: z.strictObject({ name: organizationName.optional() }) };
export const settingsRequest = { body: z.strictObject({ settings: jsonObject }) };
export const auditRequest = {
  query: z.strictObject({ limit, cursor: auditCursor.schema, action: slug(100).optional() }),
};

const organizationItem = z
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

export const settingsReply = z.strictObject({ settings: jsonObject }).meta({ id: 'Settings' });

export const auditPage = pageOf(
  z
    .strictObject({
      audit_id: z.string(),
      org_id: z.string().nullable(),
      user_id: z.string().nullable(),
      action: z.string(),
      entity_type: z.string(),
      entity_id: z.string(),
      details: jsonObject,
      request_id: z.string().nullable(),
      ts: timestamp,
    })
    .meta({ id: 'AuditEntry' }),
).meta({ id: 'AuditPage' });
