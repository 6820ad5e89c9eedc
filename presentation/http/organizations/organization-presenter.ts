import type { z } from 'zod';
import type { DatabaseRecord } from '../../../application/ports/databases/database-ledger.ts';
import type { Organization } from '../../../domain/organizations/organization.ts';
import type { organizationItem, organizationReply } from './organization-schema.ts';

export const presentOrganizationItem = (organization: Organization): z.output<typeof organizationItem> => ({
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
}): z.output<typeof organizationReply> => ({
  ...presentOrganizationItem(organization),
  database: database && {
    name: database.databaseName,
    state: database.state,
    schema_version: database.schemaVersion,
  },
});
