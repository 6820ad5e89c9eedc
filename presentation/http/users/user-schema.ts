import { z } from 'zod';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import { textCursor } from '../request/schema/cursor.ts';
import {
  choosesAnother,
  SAME_PASSWORD,
  email,
  limit,
  listOf,
  newPassword,
  organizationId,
  pageOf,
  searchText,
  text,
  timestamp,
  uuid,
} from '../request/schema/fields.ts';

/** Users are listed in the order of their ids. */
export const userCursor = textCursor(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

export const userParams = z.object({ user_id: uuid });

export const listRequest = {
  query: z.strictObject({
    limit,
    cursor: userCursor.schema,
    email: email.optional(),
    q: searchText('What the email begins with, in any case'),
  }),
};
export const createRequest = {
  body: z
    .strictObject({
      email,
      platform_admin: z.boolean().default(false),
      password: newPassword.optional().meta({ description: 'To be changed at the first login' }),
    })
    .meta({ example: { email: 'ada@acme.example', password: 'correct horse battery' } }),
};
export const oneRequest = { params: userParams };
export const changeRequest = {
  params: userParams,
  body: z
    .strictObject({
      status: z.enum(['active', 'disabled']).optional(),
      platform_admin: z.boolean().optional(),
      must_change_password: z.boolean().optional(),
      seen: z
        .strictObject({
          status: z.enum(['active', 'disabled']).optional(),
          platform_admin: z.boolean().optional(),
          must_change_password: z.boolean().optional(),
        })
        .optional()
        .meta({ description: 'What you saw: 409 when it is otherwise by now' }),
    })
    .meta({ example: { status: 'disabled' } }),
};
export const endSessionRequest = { params: userParams.extend({ session_id: uuid }) };
export const setPasswordRequest = {
  params: userParams,
  body: z.strictObject({ password: newPassword }).meta({ example: { password: 'correct horse battery' } }),
};
export const ownPasswordRequest = {
  body: z
    .strictObject({ password: text(1024), new_password: newPassword })
    .refine(choosesAnother, SAME_PASSWORD)
    .meta({ example: { password: 'correct horse battery', new_password: 'another horse battery' } }),
};
/** Not named `org_id`: it is an object of the caller's, and need not be the organization that the token speaks for. */
export const invitationRequest = (maxOrganizationIdLength: number) => ({
  params: z.object({ inviting_org_id: organizationId(maxOrganizationIdLength) }),
});
const user = z.strictObject({
  user_id: z.string(),
  email: z.string(),
  status: z.enum(['active', 'disabled']),
  platform_admin: z.boolean(),
  has_password: z.boolean(),
  must_change_password: z.boolean(),
  created_at: timestamp,
  updated_at: timestamp,
});
export const userReply = user.meta({ id: 'User' });
export const sessionList = listOf(
  z.strictObject({
    session_id: z.string(),
    org_id: z.string().nullable().meta({ description: 'null: for no single organization' }),
    kind: z.enum(['browser', 'tokens']).meta({ description: '`tokens`: of a login at /auth/token' }),
    opened_at: timestamp,
    used_at: timestamp.nullable().meta({ description: 'When a browser last asked for a token' }),
    expires_at: timestamp,
  }),
).meta({ id: 'SessionList' });
export const userPage = pageOf(userReply).meta({ id: 'UserPage' });

const membership = z.strictObject({ org_id: z.string(), roles: z.array(z.enum(ORGANIZATION_ROLES)) });

export const ownReply = user
  .extend({
    memberships: z.array(membership),
    invitations: z.array(membership.extend({ created_at: timestamp })).meta({
      description: 'Memberships that organizations offer; they count for nothing before they are accepted',
    }),
  })
  .meta({ id: 'OwnUser' });
