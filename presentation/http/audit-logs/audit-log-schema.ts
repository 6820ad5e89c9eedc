import { z } from 'zod';
import type { AuditKey } from '../../../domain/audit/audit-log.ts';
import { cursorOf, momentMs } from '../request/schema/cursor.ts';
import { jsonObject, limit, pageOf, slug, timestamp } from '../request/schema/fields.ts';

/** Entries are listed newest first. A key is the entry's moment in milliseconds and its position. */
export const auditCursor = cursorOf(
  z.tuple([momentMs, z.string().regex(/^\d{1,18}$/)]),
  ({ at, position }: AuditKey): [number, string] => [at.getTime(), position],
  ([atMs, position]): AuditKey => ({ at: new Date(atMs), position }),
);

export const listRequest = {
  query: z.strictObject({ limit, cursor: auditCursor.schema, action: slug(100).optional() }),
};

export const auditEntry = z
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
  .meta({ id: 'AuditEntry' });
export const auditPage = pageOf(auditEntry).meta({ id: 'AuditPage' });
