import { z } from 'zod';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import {
  limit,
  listOf,
  organizationRoles,
  pageOf,
  printable,
  timestamp,
  uuid,
} from '../request/schema/fields.ts';
import { userCursor } from '../users/user-schema.ts';

/** Service accounts are listed in the order of their ids. */
export const serviceAccountCursor = userCursor;

const params = z.object({ service_account_id: uuid });
const name = printable(100);

export const createRequest = {
  body: z
    .strictObject({ name, roles: organizationRoles })
    .meta({ example: { name: 'cluster of the lab', roles: ['worker'] } }),
};
export const createFleetRequest = {
  body: z.strictObject({ name }).meta({ example: { name: 'docking fleet' } }),
};
export const listRequest = { query: z.strictObject({ limit, cursor: serviceAccountCursor.schema }) };
export const oneRequest = { params };
export const keyRequest = { params: params.extend({ key_id: uuid }) };

const account = z.strictObject({
  service_account_id: z.string(),
  name: z.string(),
  fleet: z.boolean().meta({
    description: 'An account of the platform, which works for every organization that has admitted it',
  }),
  roles: z.array(z.enum(ORGANIZATION_ROLES)),
  created_at: timestamp,
});
const keyFields = {
  key_id: z.string(),
  created_at: timestamp,
  last_used_at: timestamp.nullable().meta({ description: 'To within some minutes' }),
};
const secret = z.string().meta({ description: 'Shown this once. Good for `POST /auth/token`' });

export const serviceAccountReply = account.meta({ id: 'ServiceAccount' });
export const serviceAccountPage = pageOf(serviceAccountReply).meta({ id: 'ServiceAccountPage' });
export const createdReply = account
  .extend({ key_id: z.string(), key: secret })
  .meta({ id: 'NewServiceAccount' });
export const newKeyReply = z.strictObject({ ...keyFields, key: secret }).meta({ id: 'NewServiceAccountKey' });
export const keyList = listOf(z.strictObject(keyFields)).meta({ id: 'ServiceAccountKeyList' });
