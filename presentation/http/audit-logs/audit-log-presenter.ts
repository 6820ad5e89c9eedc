import type { z } from 'zod';
import type { JsonText } from '../../../domain/json-text.ts';
import { csvCell } from '../request/csv-cell.ts';
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

const CSV_FIELDS = [
  'ts',
  'audit_id',
  'org_id',
  'user_id',
  'action',
  'entity_type',
  'entity_id',
  'request_id',
  'address',
] as const satisfies readonly (keyof SmallFields)[];

export const CSV_HEADER = `${[...CSV_FIELDS, 'details'].join(',')}\r\n`;

/** As RFC 4180 says. */
export const toCsvLine = (entry: AuditEntry): string => {
  const fields = smallFieldsOf(entry);
  const cells = [...CSV_FIELDS.map((name) => fields[name] ?? ''), entry.details.text];
  return `${cells.map(csvCell).join(',')}\r\n`;
};
