import type { z } from 'zod';
import type { AuditEntry } from '../../../domain/audit/audit-log.ts';
import type { auditEntry } from './audit-log-schema.ts';

export const presentAuditEntry = (entry: AuditEntry): z.output<typeof auditEntry> => ({
  audit_id: entry.auditId,
  org_id: entry.organizationId,
  user_id: entry.userId,
  action: entry.action,
  entity_type: entry.entityType,
  entity_id: entry.entityId,
  details: entry.details,
  request_id: entry.requestId,
  address: entry.address ?? null,
  ts: entry.at.toISOString(),
});
