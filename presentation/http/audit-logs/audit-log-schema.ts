import { z } from 'zod';
import type { AuditKey } from '../../../domain/audit/audit-log.ts';
import { cursorOf, momentMs } from '../request/schema/cursor.ts';
import {
  jsonObject,
  limit,
  moment,
  organizationId,
  pageOf,
  printable,
  slug,
  timestamp,
} from '../request/schema/fields.ts';

/** Entries are listed newest first. A key is the entry's moment in milliseconds and its position. */
export const auditCursor = cursorOf(
  z.tuple([momentMs, z.string().regex(/^\d{1,18}$/)]),
  ({ at, position }: AuditKey): [number, string] => [at.getTime(), position],
  ([atMs, position]): AuditKey => ({ at: new Date(atMs), position }),
);

const filter = {
  action: slug(100).optional(),
  actor: printable(255).optional().meta({ description: 'The `user_id` of who did it' }),
  entity_id: printable(255).optional(),
  request_id: printable(200).optional(),
  from: moment.optional().meta({ description: 'From this moment on' }),
  to: moment.optional().meta({ description: 'Before this moment' }),
};
const page = { limit, cursor: auditCursor.schema };

export const listRequest = { query: z.strictObject({ ...page, ...filter }) };

const scope = (maxOrganizationIdLength: number) => ({
  org_id: organizationId(maxOrganizationIdLength)
    .optional()
    .meta({ description: "This organization's trail, in place of what concerns no single one" }),
  scope: z
    .enum(['platform', 'all'])
    .default('platform')
    .meta({ description: '`all`: the trails of all organizations as well; without `org_id`' }),
});
export const platformListRequest = (maxOrganizationIdLength: number) => ({
  query: z.strictObject({ ...page, ...scope(maxOrganizationIdLength), ...filter }),
});
export const exportRequest = (maxOrganizationIdLength: number) => ({
  query: z.strictObject({ ...scope(maxOrganizationIdLength), ...filter }),
});

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
