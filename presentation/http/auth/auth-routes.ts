import { z } from 'zod';
import type { HttpDependencies } from '../http-dependencies.ts';
import { ok, publicRoute, type Route } from '../route.ts';
import { organizationId, text } from '../schema/fields.ts';

const tokenReply = z
  .strictObject({ access_token: z.string(), token_type: z.literal('bearer'), expires_in: z.int() })
  .meta({ id: 'Token' });

export const authRoutes = ({ issueToken, options }: HttpDependencies): readonly Route[] => [
  publicRoute([], {
    method: 'post',
    path: '/auth/token',
    name: 'issueToken',
    summary: 'Exchange email and password for an access token',
    tag: 'auth',
    request: {
      body: z.strictObject({
        email: text(254),
        password: text(1024),
        org_id: organizationId(options.maxOrganizationIdLength).optional(),
      }),
    },
    replies: { 200: { description: 'An access token', schema: tokenReply } },
    errors: ['unauthenticated', 'database_unavailable'],
    handle: async ({ input: { body } }) => {
      const { email, password, org_id } = body;
      const token = await issueToken.execute({ email, password, organizationId: org_id ?? null });
      return ok({
        access_token: token.accessToken,
        token_type: 'bearer',
        expires_in: token.expiresInSeconds,
      });
    },
  }),
];
