import { BROWSER_SESSION_SECONDS } from '../../../application/identity/browser-session.ts';
import { UnauthenticatedError } from '../../../domain/identity/errors.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { sessionCookie } from '../request/browser-request.ts';
import { noContent, ok } from '../request/reply.ts';
import { browserRoute, type Route } from '../routing/route.ts';
import { presentSession, presentToken } from './console-presenter.ts';
import {
  browserTokenReply,
  confirmRequest,
  openRequest,
  sessionReply,
  tokenRequest,
} from './console-schema.ts';

const tag = 'console';
const path = '/console/session';
const COOKIE_ERRORS = ['cross_site_request', 'ambiguous_session'] as const;

export const consoleRoutes = (deps: HttpDependencies): readonly Route[] => [
  openSessionRoute(deps),
  getSessionRoute(deps),
  endSessionRoute(deps),
  makeTokenRoute(deps),
  confirmRoute(deps),
];

/** @throws {UnauthenticatedError} */
const present = (secret: string | null): string => {
  if (secret === null) throw new UnauthenticatedError('There is no session: log in.');
  return secret;
};

const openSessionRoute = ({ openBrowserSession }: HttpDependencies): Route =>
  browserRoute([], {
    method: 'post',
    path,
    name: 'openBrowserSession',
    summary:
      'Log in from a page of this service; the cookie that it sets does nothing but make access tokens. The session that the browser had ends',
    tag,
    request: openRequest,
    replies: { 204: { description: 'Logged in; `mad_session` is set' } },
    errors: [
      ...COOKIE_ERRORS,
      'unauthenticated',
      'password_change_required',
      'too_many_attempts',
      'service_busy',
      'database_unavailable',
    ],
    handle: async ({ origin, isSecure, secret: former, input: { body } }) => {
      const { email, password, new_password: newPassword = null } = body;
      const secret = await openBrowserSession({ email, password, newPassword, former }, origin);
      const cookie = sessionCookie(secret, { isSecure, maxAgeSeconds: BROWSER_SESSION_SECONDS });
      return { ...noContent, headers: { 'Set-Cookie': cookie } };
    },
  });

const getSessionRoute = ({ viewBrowserSession }: HttpDependencies): Route =>
  browserRoute([], {
    method: 'get',
    path,
    name: 'getBrowserSession',
    summary: 'Show whose session the cookie is, and where it may act',
    tag,
    request: {},
    replies: { 200: { description: 'The session', schema: sessionReply } },
    errors: [...COOKIE_ERRORS, 'unauthenticated', 'database_unavailable'],
    handle: async ({ secret }) => ok(presentSession(await viewBrowserSession(present(secret)))),
  });

const endSessionRoute = ({ endBrowserSession }: HttpDependencies): Route =>
  browserRoute([], {
    method: 'delete',
    path,
    name: 'endBrowserSession',
    summary: 'End the session of the cookie, with all tokens of it',
    tag,
    request: {},
    replies: { 204: { description: 'It has ended, if there was one' } },
    errors: [...COOKIE_ERRORS, 'database_unavailable'],
    handle: async ({ secret, isSecure }) => {
      if (secret !== null) await endBrowserSession(secret);
      return { ...noContent, headers: { 'Set-Cookie': sessionCookie('', { isSecure, maxAgeSeconds: 0 }) } };
    },
  });

const tokenReplies = {
  replies: { 200: { description: 'An access token', schema: browserTokenReply } },
  errors: [
    ...COOKIE_ERRORS,
    'unauthenticated',
    'organization_access_denied',
    'role_required',
    'database_unavailable',
  ],
} as const;

const makeTokenRoute = ({ makeBrowserToken, options }: HttpDependencies): Route =>
  browserRoute([], {
    method: 'post',
    path: `${path}/token`,
    name: 'makeBrowserToken',
    summary: "Make an access token for one of the user's organizations, or for the platform",
    tag,
    request: tokenRequest(options.maxOrganizationIdLength),
    ...tokenReplies,
    handle: async ({ secret, input: { body } }) =>
      ok(presentToken(await makeBrowserToken(present(secret), body.org_id))),
  });

const confirmRoute = ({ confirmBrowserSession, options }: HttpDependencies): Route =>
  browserRoute([], {
    method: 'post',
    path: `${path}/confirm`,
    name: 'confirmBrowserSession',
    summary: 'Give the password again, for a token that says so (`auth_time`)',
    tag,
    request: confirmRequest(options.maxOrganizationIdLength),
    replies: tokenReplies.replies,
    errors: [...tokenReplies.errors, 'too_many_attempts', 'service_busy'],
    handle: async ({ secret, origin, input: { body } }) => {
      const { password, org_id: organizationId } = body;
      return ok(
        presentToken(await confirmBrowserSession(present(secret), { password, organizationId }, origin)),
      );
    },
  });
