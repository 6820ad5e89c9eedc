import { z } from 'zod';
import type { ApiClient } from '../rest/api-client.ts';
import { ApiError } from '../rest/api-error.ts';
import { AccessToken } from './access-token.ts';
import { replies } from './work-replies.ts';

/** How a worker shows who it is. */
export type Credentials =
  | { readonly kind: 'key'; readonly key: string }
  | {
      readonly kind: 'password';
      readonly email: string;
      readonly password: string;
      /** Null: the account's only one. */
      readonly organizationId: string | null;
    }
  | { readonly kind: 'token'; readonly token: string };

/** The token that the credentials give, and give anew when it is about to end. */
export const tokenOf = (credentials: Credentials, api: ApiClient): AccessToken =>
  new AccessToken(async () => {
    if (credentials.kind === 'token') return { access_token: credentials.token, expires_in: null };
    const { body } = await api.call({
      method: 'POST',
      path: '/auth/token',
      body: loginOf(credentials),
      expect: [200],
      reply: replies.token,
    });
    return body;
  });

const loginOf = (credentials: Exclude<Credentials, { kind: 'token' }>): object => {
  if (credentials.kind === 'key') return { key: credentials.key };
  const { email, password, organizationId } = credentials;
  return { email, password, ...(organizationId !== null && { org_id: organizationId }) };
};

const claims = z.object({ roles: z.array(z.string()) });

/** Whether a token is one of a fleet, which claims nothing itself. The service decides; this only reads what it said. */
export const isFleetToken = (token: string): boolean => {
  try {
    const [, payload = ''] = token.split('.');
    const { roles } = claims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
    return roles.includes('fleet');
  } catch {
    return false;
  }
};

/** Whether the service says that the credentials are wrong, and not that it is busy. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ApiError && error.code !== null && [401, 403, 422].includes(error.status);
