import { z } from 'zod';
import type { SessionGrant } from '../../../application/identity/session-tokens.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { noContent, ok, type Reply } from '../request/reply.ts';
import { publicRoute, type Route } from '../routing/route.ts';
import {
  choosesAnother,
  newPassword,
  organizationId,
  SAME_PASSWORD,
  text,
} from '../request/schema/fields.ts';

const tag = 'auth';
const refreshToken = text(255);

const tokenReply = z
  .strictObject({
    access_token: z.string(),
    token_type: z.literal('bearer'),
    expires_in: z.int().meta({ description: 'Seconds' }),
    refresh_token: z.string().meta({ description: 'Good for one use, at /auth/refresh' }),
    refresh_expires_in: z.int().meta({ description: 'Seconds from the login' }),
  })
  .meta({ id: 'Token' });

const presentGrant = (grant: SessionGrant): Reply =>
  ok({
    access_token: grant.accessToken,
    token_type: 'bearer',
    expires_in: grant.expiresInSeconds,
    refresh_token: grant.refreshToken,
    refresh_expires_in: grant.refreshExpiresInSeconds,
  });

export const authRoutes = (deps: HttpDependencies): readonly Route[] => [
  publicRoute([], {
    method: 'post',
    path: '/auth/token',
    name: 'issueToken',
    summary: 'Log in with email and password; with "new_password" the password is replaced',
    tag,
    request: {
      body: z
        .strictObject({
          email: text(254),
          password: text(1024),
          new_password: newPassword.optional(),
          org_id: organizationId(deps.options.maxOrganizationIdLength).optional(),
        })
        .refine(choosesAnother, SAME_PASSWORD),
    },
    replies: { 200: { description: 'An access token and a refresh token', schema: tokenReply } },
    errors: ['unauthenticated', 'password_change_required', 'too_many_attempts', 'database_unavailable'],
    handle: async ({ origin, input: { body } }) => {
      const { email, password, new_password, org_id } = body;
      return presentGrant(
        await deps.issueToken.execute(
          { email, password, organizationId: org_id ?? null, newPassword: new_password ?? null },
          origin,
        ),
      );
    },
  }),
  publicRoute([], {
    method: 'post',
    path: '/auth/refresh',
    name: 'refreshToken',
    summary: 'Exchange a refresh token for fresh tokens; one that comes back used ends the session',
    tag,
    request: { body: z.strictObject({ refresh_token: refreshToken }) },
    replies: { 200: { description: 'Fresh tokens', schema: tokenReply } },
    errors: ['unauthenticated', 'database_unavailable'],
    handle: async ({ origin, input: { body } }) =>
      presentGrant(await deps.refreshSession.execute(body.refresh_token, origin)),
  }),
  publicRoute([], {
    method: 'post',
    path: '/auth/logout',
    name: 'logout',
    summary: 'End the session of a refresh token, with all tokens of it',
    tag,
    request: { body: z.strictObject({ refresh_token: refreshToken }) },
    replies: { 204: { description: 'It has ended, if there was one' } },
    errors: ['database_unavailable'],
    handle: async ({ input: { body } }) => {
      await deps.endSession.execute(body.refresh_token);
      return noContent;
    },
  }),
];
