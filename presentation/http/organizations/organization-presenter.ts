import type { DatabaseRecord } from '../../../application/ports/databases/database-ledger.ts';
import type { Organization } from '../../../domain/organizations/organization.ts';

export const presentOrganizationItem = (organization: Organization) => ({
  org_id: organization.id,
  name: organization.name,
  status: organization.status,
  created_at: organization.createdAt.toISOString(),
  updated_at: organization.updatedAt.toISOString(),
});

export const presentOrganization = ({
  organization,
  database,
}: {
  readonly organization: Organization;
  /** Null before the first use. */
  readonly database: DatabaseRecord | null;
}) => ({
  ...presentOrganizationItem(organization),
  database: database && {
    name: database.databaseName,
    state: database.state,
    schema_version: database.schemaVersion,
  },
});
