import { HttpError } from '../errors/http-error.ts';
import type { HttpRequest } from './http-locals.ts';

const COOKIE = 'mad_session';
/** The one path that the browser sends it to. */
const PATH = '/console/session';
/** 256 bits in base64url. */
const SECRET = /(?<=^|;\s*)mad_session=([A-Za-z0-9_-]{43})(?=;|$)/g;

/**
 * What the cookie of a browser's session holds; null when there is none that could be one. Any site of the same domain can set a
 * cookie of that name for all its neighbours, and nothing tells which of two is ours: the person would act for whoever set it.
 *
 * @throws {HttpError} `ambiguous_session`
 */
export const sessionSecret = ({ headers }: HttpRequest): string | null => {
  const sent = new Set(Array.from((headers.cookie ?? '').matchAll(SECRET), ([, secret = '']) => secret));
  if (sent.size > 1) throw new HttpError('ambiguous_session', AMBIGUOUS);
  const [secret = null] = sent;
  return secret;
};

const AMBIGUOUS =
  'The browser sent two cookies named "mad_session": another site of this domain has set one. Delete the cookies of this domain in the browser, and log in again.';

interface CookieTerms {
  readonly isSecure: boolean;
  readonly maxAgeSeconds: number;
}

/** Scripts never see it, other sites never have it sent, and other paths neither. Decision 0052. */
export const sessionCookie = (secret: string, { isSecure, maxAgeSeconds }: CookieTerms): string =>
  [
    `${COOKIE}=${secret}`,
    `Path=${PATH}`,
    `Max-Age=${maxAgeSeconds}`,
    'HttpOnly',
    'SameSite=Strict',
    // A lab without TLS would be locked out by a cookie that is always so.
    ...(isSecure ? ['Secure'] : []),
  ].join('; ');

/**
 * Browsers say where a request comes from: by `Sec-Fetch-Site` when the address can be trusted (https, localhost), else by
 * `Origin`. They leave out both for a read from the same origin by plain http, which changes nothing and which no other site
 * can see the answer of.
 *
 * @throws {HttpError} `cross_site_request`
 */
export const assertSameOrigin = (req: HttpRequest): void => {
  const site = req.get('Sec-Fetch-Site');
  const origin = req.get('Origin');
  if (site !== undefined ? site === 'same-origin' : isOwn(origin, req)) return;
  throw new HttpError('cross_site_request', 'Only pages of this service may ask for this.');
};

const isOwn = (origin: string | undefined, req: HttpRequest): boolean => {
  if (origin === undefined) return req.method === 'GET' || req.method === 'HEAD';
  return URL.canParse(origin) && new URL(origin).host === req.get('Host')?.toLowerCase();
};
