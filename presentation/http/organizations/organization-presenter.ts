import type { z } from 'zod';
import type { Actor } from '../../../application/actor.ts';
import type { DatabaseRecord } from '../../../application/ports/databases/database-ledger.ts';
import { hasAnyRole } from '../../../domain/identity/principal.ts';
import type { Organization } from '../../../domain/organizations/organization.ts';
import type { ListedOrganization } from '../../../domain/organizations/organization-repository.ts';
import type { listedOrganization, organizationItem, organizationReply } from './organization-schema.ts';

const presentOrganizationItem = (organization: Organization): z.output<typeof organizationItem> => ({
  org_id: organization.id,
  name: organization.name,
  status: organization.status,
  created_at: organization.createdAt.toISOString(),
  updated_at: organization.updatedAt.toISOString(),
});

export const presentListedOrganization = ({
  database,
  ...organization
}: ListedOrganization): z.output<typeof listedOrganization> => ({
  ...presentOrganizationItem(organization),
  database: database && {
    server_id: database.serverId,
    state: database.state,
    schema_version: database.schemaVersion,
    last_error: database.lastError,
  },
});

/** Servers are named to platform administrators alone. */
export const presentOrganization = (
  {
    organization,
    database,
  }: {
    readonly organization: Organization;
    /** Null before the first use. */
    readonly database: DatabaseRecord | null;
  },
  { principal }: Actor,
): z.output<typeof organizationReply> => ({
  ...presentOrganizationItem(organization),
  database: database && {
    name: database.databaseName,
    state: database.state,
    schema_version: database.schemaVersion,
  },
  ...(hasAnyRole(principal, ['platform_admin']) && {
    placement: { server_id: organization.placement.serverId, labels: organization.placement.labels },
  }),
});
