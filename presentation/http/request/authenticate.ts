import { UnauthenticatedError } from '../../../domain/identity/errors.ts';
import { HttpError } from '../errors/http-error.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { Step } from './http-locals.ts';

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** The token of an `Authorization: Bearer` header; null when the header is absent or has another form. */
export const bearerToken = (authorization: string | undefined): string | null =>
  BEARER.exec(authorization ?? '')?.[1] ?? null;

const TRIES_BEARER = /^Bearer\b/i;

/** RFC 6750, section 3.1. Without it a client cannot tell a token that has ended from one that it forgot to send. */
const INVALID_TOKEN = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };

/**
 * Verifies the token and keeps its principal.
 *
 * @throws {UnauthenticatedError} when no bearer token was sent
 * @throws {HttpError} `unauthenticated`, when the bearer token is not valid
 */
export const authenticate =
  ({ verifyToken }: Pick<HttpDependencies, 'verifyToken'>): Step =>
  async (req, res) => {
    const token = bearerToken(req.headers.authorization);
    if (!TRIES_BEARER.test(req.headers.authorization ?? '')) throw new UnauthenticatedError();
    const principal = token === null ? null : await verifyToken(token).catch(nullWhenInvalid);
    if (principal === null) {
      const { message } = new UnauthenticatedError();
      throw new HttpError('unauthenticated', message, INVALID_TOKEN);
    }
    res.locals.principal = principal;
    res.locals.context.organizationId = principal.organizationId;
  };

const nullWhenInvalid = (error: unknown): null => {
  if (error instanceof UnauthenticatedError) return null;
  throw error;
};
