import type { z } from 'zod';
import type { JsonText } from '../../../domain/json-text.ts';
import { jsonObject } from '../request/json-object.ts';
import type { AuditEntry } from '../../../domain/audit/audit-log.ts';
import type { auditEntry } from './audit-log-schema.ts';

type SmallFields = Omit<z.output<typeof auditEntry>, 'details'>;

export const presentAuditEntry = (entry: AuditEntry): JsonText =>
  jsonObject(smallFieldsOf(entry), { details: entry.details });

const smallFieldsOf = (entry: AuditEntry): SmallFields => ({
  audit_id: entry.auditId,
  org_id: entry.organizationId,
  user_id: entry.userId,
  action: entry.action,
  entity_type: entry.entityType,
  entity_id: entry.entityId,
  request_id: entry.requestId,
  address: entry.address ?? null,
  ts: entry.at.toISOString(),
});
