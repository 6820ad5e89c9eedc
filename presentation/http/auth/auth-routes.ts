import type { HttpDependencies } from '../http-dependencies.ts';
import { noContent, ok } from '../request/reply.ts';
import { callerRoute, publicRoute, type Route } from '../routing/route.ts';
import { presentGrant, presentToken } from './auth-presenter.ts';
import { bareTokenReply, exchangeRequest, issueRequest, refreshRequest, tokenReply } from './auth-schema.ts';

const tag = 'auth';

export const authRoutes = (deps: HttpDependencies): readonly Route[] => [
  issueTokenRoute(deps),
  refreshTokenRoute(deps),
  logoutRoute(deps),
  exchangeTokenRoute(deps),
];

const issueTokenRoute = ({ issueToken, issueKeyToken, options }: HttpDependencies): Route =>
  publicRoute([], {
    method: 'post',
    path: '/auth/token',
    name: 'issueToken',
    summary: 'Log in with email and password, or with a key; with "new_password" the password is replaced',
    tag,
    request: issueRequest(options.maxOrganizationIdLength),
    replies: { 200: { description: 'An access token and a refresh token', schema: tokenReply } },
    errors: [
      'unauthenticated',
      'password_change_required',
      'organization_choice_required',
      'too_many_attempts',
      'service_busy',
      'database_unavailable',
    ],
    handle: async ({ origin, input: { body } }) => {
      if (body.key !== undefined) return ok(presentToken(await issueKeyToken(body.key, origin)));
      // The schema wants them where there is no key.
      const {
        email = '',
        password = '',
        new_password: newPassword = null,
        org_id: organizationId = null,
      } = body;
      return ok(presentGrant(await issueToken({ email, password, organizationId, newPassword }, origin)));
    },
  });

const refreshTokenRoute = ({ refreshSession }: HttpDependencies): Route =>
  publicRoute([], {
    method: 'post',
    path: '/auth/refresh',
    name: 'refreshToken',
    summary: 'Exchange a refresh token for fresh tokens; one that comes back used ends the session',
    tag,
    request: refreshRequest,
    replies: { 200: { description: 'Fresh tokens', schema: tokenReply } },
    errors: ['unauthenticated', 'database_unavailable'],
    handle: async ({ origin, input: { body } }) =>
      ok(presentGrant(await refreshSession(body.refresh_token, origin))),
  });

const logoutRoute = ({ endSession }: HttpDependencies): Route =>
  publicRoute([], {
    method: 'post',
    path: '/auth/logout',
    name: 'logout',
    summary: 'End the session of a refresh token, with all tokens of it',
    tag,
    request: refreshRequest,
    replies: { 204: { description: 'It has ended, if there was one' } },
    errors: ['database_unavailable'],
    handle: async ({ input: { body } }) => {
      await endSession(body.refresh_token);
      return noContent;
    },
  });

const exchangeTokenRoute = ({ exchangeToken, options }: HttpDependencies): Route =>
  callerRoute(['fleet'], {
    method: 'post',
    path: '/auth/exchange',
    name: 'exchangeToken',
    summary: "Exchange a fleet's token for one of an organization that has admitted it, good for 15 minutes",
    tag,
    request: exchangeRequest(options.maxOrganizationIdLength),
    replies: { 200: { description: 'An access token for that organization', schema: bareTokenReply } },
    handle: async ({ actor, input: { body } }) =>
      ok(presentToken(await exchangeToken(actor, body.org_id, '/auth/exchange'))),
  });
