import type { DatabaseRecord } from '../../../application/ports/databases/database-ledger.ts';
import type { AuditEntry } from '../../../domain/audit/audit-log.ts';
import type { Organization } from '../../../domain/organizations/organization.ts';

export const presentOrganizationItem = (organization: Organization) => ({
  org_id: organization.id,
  name: organization.name,
  status: organization.status,
  created_at: organization.createdAt.toISOString(),
  updated_at: organization.updatedAt.toISOString(),
});

export const presentOrganization = (organization: Organization, database: DatabaseRecord | null) => ({
  ...presentOrganizationItem(organization),
  database: database && {
    name: database.databaseName,
    state: database.state,
    schema_version: database.schemaVersion,
  },
});

export const presentAuditEntry = (entry: AuditEntry) => ({
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
