import { z } from 'zod';
import { DATABASE_STATES } from '../../../domain/databases/results-database.ts';
import { ORGANIZATION_ID_PATTERN } from '../../../domain/organizations/organization-id.ts';
import { ORGANIZATION_STATUSES } from '../../../domain/organizations/organization.ts';
import { ORGANIZATION_ORDERS } from '../../../domain/organizations/organization-repository.ts';
import { PRINTABLE } from '../../../domain/printable.ts';
import { textCursor } from '../request/schema/cursor.ts';
import {
  labels,
  limit,
  NOT_PRINTABLE,
  organizationId,
  pageOf,
  searchText,
  serverId,
  timestamp,
} from '../request/schema/fields.ts';

/** Organizations are listed in the order of their ids. */
export const organizationCursor = textCursor(ORGANIZATION_ID_PATTERN);

const organizationName = z.string().trim().min(1).max(200).regex(PRINTABLE, NOT_PRINTABLE);

const PIN =
  'Where the database has to be: on this server (null: on any), and on one with all of these labels. ' +
  'A database that exists is not moved by it.';

const placement = z
  .strictObject({
    server_id: serverId.nullable().optional(),
    labels: labels.optional().meta({ description: 'Replaces all labels' }),
  })
  .meta({ description: PIN });

export const createRequest = (maxOrganizationIdLength: number) => ({
  body: z
    .strictObject({
      org_id: organizationId(maxOrganizationIdLength),
      name: organizationName,
      placement: placement.optional(),
    })
    .meta({ example: { org_id: 'acme', name: 'Acme Therapeutics' } }),
});
export const listRequest = {
  query: z.strictObject({
    limit,
    cursor: organizationCursor.schema,
    q: searchText('What the id or, in any case, the name begins with'),
    status: z.enum(ORGANIZATION_STATUSES).optional(),
    server: serverId.optional().meta({ description: 'Where the database is' }),
    state: z
      .enum([...DATABASE_STATES, 'none'])
      .optional()
      .meta({ description: 'Of the database; `none`: there is none yet' }),
    sort: z.enum(ORGANIZATION_ORDERS).default('id'),
  }),
};
export const changeRequest = {
  body: z
    .strictObject({
      name: organizationName.optional(),
      placement: placement
        .optional()
        .meta({ description: `For platform administrators alone. ${PIN} What is left out stays` }),
    })
    .meta({ example: { name: 'Acme Therapeutics' } }),
};

export const moveRequest = {
  query: z.strictObject({
    seen_status: z
      .enum(ORGANIZATION_STATUSES)
      .optional()
      .meta({ description: 'The status that you saw: 409 when it has another one by now' }),
  }),
};

export const organizationItem = z
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
    placement: z
      .strictObject({ server_id: z.string().nullable(), labels: z.record(z.string(), z.string()) })
      .optional()
      .meta({ description: 'Shown to platform administrators: where the database has to be' }),
  })
  .meta({ id: 'Organization' });
export const listedOrganization = organizationItem
  .extend({
    database: z
      .strictObject({
        server_id: z.string(),
        state: z.enum(DATABASE_STATES),
        schema_version: z.int().nullable(),
        last_error: z.string().nullable(),
      })
      .nullable()
      .meta({ description: 'null before first use' }),
  })
  .meta({ id: 'ListedOrganization' });
export const organizationPage = pageOf(listedOrganization).meta({ id: 'OrganizationPage' });
