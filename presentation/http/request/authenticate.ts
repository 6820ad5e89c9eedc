import { UnauthenticatedError } from '../../../domain/identity/errors.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { Step } from './http-locals.ts';

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** The token of an `Authorization: Bearer` header; null when the header is absent or has another form. */
export const bearerToken = (authorization: string | undefined): string | null =>
  BEARER.exec(authorization ?? '')?.[1] ?? null;

/** Verifies the token and keeps its principal. @throws {UnauthenticatedError} without a token, or with a bad one */
export const authenticate =
  ({ verifyToken }: Pick<HttpDependencies, 'verifyToken'>): Step =>
  async (req, res) => {
    const token = bearerToken(req.headers.authorization);
    if (token === null) throw new UnauthenticatedError();
    const principal = await verifyToken(token);
    res.locals.principal = principal;
    res.locals.context.organizationId = principal.organizationId;
  };
