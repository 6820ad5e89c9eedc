import { randomBytes } from 'node:crypto';
import type { OrganizationRole } from '../../domain/identity/role.ts';
import type { ApiClient } from '../rest/api-client.ts';
import { replies } from './replies.ts';

export interface Person {
  readonly email: string;
  readonly organizationId: string;
  readonly role: OrganizationRole;
}

export const demoPerson = (organizationId: string, role: OrganizationRole): Person => ({
  email: `${role}@${organizationId}.example`,
  organizationId,
  role,
});

/**
 * Acts for the operator: makes the person a user and a member of the organization, unless an earlier run did.
 *
 * @returns a password that the person has to change at the next login
 */
export const enrol = async (
  api: ApiClient,
  operatorToken: string,
  { email, organizationId, role }: Person,
): Promise<string> => {
  const password = newPassword();
  const asOperator = { token: operatorToken, reply: replies.anything };
  const { status } = await api.call({
    ...asOperator,
    method: 'POST',
    path: '/users',
    body: { email, password },
    expect: [201, 409],
  });
  if (status === 409) {
    const { body } = await api.call({
      method: 'GET',
      path: `/users?email=${encodeURIComponent(email)}`,
      token: operatorToken,
      expect: [200],
      reply: replies.users,
    });
    for (const { user_id } of body.items) {
      await api.call({
        ...asOperator,
        method: 'PUT',
        path: `/users/${user_id}/password`,
        body: { password },
        expect: [204],
      });
    }
  }
  await api.call({
    ...asOperator,
    method: 'POST',
    path: `/organizations/${organizationId}/members`,
    body: { email, roles: [role] },
    expect: [201, 409],
  });
  return password;
};

/** Acts for the person: replaces the password and gets a token. */
export const logIn = async (api: ApiClient, { email, organizationId }: Person, password: string) => {
  const { body } = await api.call({
    method: 'POST',
    path: '/auth/token',
    body: { email, password, new_password: newPassword(), org_id: organizationId },
    expect: [200],
    reply: replies.token,
  });
  return body;
};

/** Is not kept: the next run sets another one. */
const newPassword = (): string => randomBytes(24).toString('base64url');
