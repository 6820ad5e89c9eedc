import { z } from 'zod';
import type { AuditKey } from '../../../domain/audit/audit-log.ts';
import { DATABASE_STATES } from '../../../domain/databases/results-database.ts';
import { ORGANIZATION_ID_PATTERN } from '../../../domain/organizations/organization-id.ts';
import {
  MAX_POLICY_TIMEOUT_MS,
  type POLICY_SETTINGS,
} from '../../../domain/organizations/organization-policy.ts';
import { ORGANIZATION_STATUSES } from '../../../domain/organizations/organization.ts';
import { cursorOf, momentMs, textCursor } from '../request/schema/cursor.ts';
import { jsonObject, limit, organizationId, pageOf, slug, timestamp } from '../request/schema/fields.ts';

const organizationName = z.string().trim().min(1).max(200);

/** Lists of organizations are in the order of their ids. */
export const organizationCursor = textCursor(ORGANIZATION_ID_PATTERN);
/** Newest first: the moment in milliseconds, then the position. */
export const auditCursor = cursorOf(
  z.tuple([momentMs, z.string().regex(/^\d{1,18}$/)]),
  ({ at, position }: AuditKey): [number, string] => [at.getTime(), position],
  ([atMs, position]): AuditKey => ({ at: new Date(atMs), position }),
);

export const createRequest = (maxIdLength: number) => ({
  body: z.strictObject({ org_id: organizationId(maxIdLength), name: organizationName }),
});
export const listRequest = { query: z.strictObject({ limit, cursor: organizationCursor.schema }) };
export const changeRequest = { body: z.strictObject({ name: organizationName.optional() }) };

/** `"3"`, or several, or `*`; null for the latter. A weak tag is equal to none. */
const ifMatch = z
  .string()
  .max(1000)
  .regex(/^\s*(?:\*|(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*)\s*$/, 'must be a list of entity tags, or "*"')
  .transform((tags) =>
    tags.trim() === '*'
      ? null
      : Array.from(tags.matchAll(/(?<!W\/)"(\d{1,15})"/g), ([, version]) => Number(version)),
  )
  .optional()
  .meta({
    override: { type: 'string' },
    description: 'Write only if the settings are still as their `ETag` said',
  });

/** What the service itself reads of the settings; an organization may keep any others beside these. */
const policyFields = (maxConnections: number) => {
  const timeout = z.int().min(1).max(MAX_POLICY_TIMEOUT_MS);
  return {
    max_connections: z
      .int()
      .min(1)
      .max(maxConnections)
      .meta({ description: 'Most server connections to its database, in each process of the service' }),
    statement_timeout_ms: timeout,
    idle_in_transaction_timeout_ms: timeout,
    lock_timeout_ms: timeout,
  } satisfies Record<keyof typeof POLICY_SETTINGS, z.ZodType>;
};

export const settingsRequest = (maxConnections: number) => ({
  headers: z.object({ 'If-Match': ifMatch }),
  body: z.strictObject({ settings: z.object(policyFields(maxConnections)).partial().catchall(z.unknown()) }),
});
export const settingsPatchRequest = (maxConnections: number) => {
  const fields = Object.entries(policyFields(maxConnections)).map(([key, field]) => [key, field.nullable()]);
  const patch = z.object(Object.fromEntries(fields)).partial().catchall(z.unknown());
  return { headers: z.object({ 'If-Match': ifMatch }), body: z.strictObject({ settings: patch }) };
};
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
      address: z.string().nullable(),
      ts: timestamp,
    })
    .meta({ id: 'AuditEntry' }),
).meta({ id: 'AuditPage' });
