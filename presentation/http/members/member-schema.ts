import { z } from 'zod';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import { email, limit, organizationRoles, pageOf, timestamp, uuid } from '../request/schema/fields.ts';
import { userCursor } from '../users/user-schema.ts';

/** Members are listed in the order of their user ids. */
export const memberCursor = userCursor;

const params = z.object({ user_id: uuid });

export const listRequest = { query: z.strictObject({ limit, cursor: memberCursor.schema }) };
export const addRequest = {
  body: z
    .strictObject({ email, roles: organizationRoles })
    .meta({ example: { email: 'ada@acme.example', roles: ['member'] } }),
};
export const rolesRequest = {
  params,
  body: z.strictObject({ roles: organizationRoles }).meta({ example: { roles: ['member', 'worker'] } }),
};
export const removeRequest = { params };

export const memberReply = z
  .strictObject({
    user_id: z.string(),
    email: z.string(),
    status: z.enum(['active', 'disabled']),
    roles: z.array(z.enum(ORGANIZATION_ROLES)),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'Member' });
export const memberPage = pageOf(memberReply).meta({ id: 'MemberPage' });
