import type { NextFunction, Request, Response } from 'express';
import type { RequestContext } from '../../../application/ports/runtime/request-context.ts';
import type { ResultsDatabase } from '../../../application/ports/databases/results-database.ts';
import type { Principal } from '../../../domain/identity/principal.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { Failure } from '../errors/failure.ts';
import type { Reply } from './reply.ts';

/** A controller whose input has passed: all it needs now is what the later steps found. */
export type Answer = (locals: HttpLocals) => Promise<Reply>;

/** What the steps of one request hand on to each other in `res.locals`. */
export interface HttpLocals {
  requestId: string;
  /** The client's; a proxy's where one stands before the service and is not trusted. */
  address: string | null;
  startedAtMs: number;
  context: RequestContext;
  /** Pattern of the matched route; `unmatched` until then. */
  route: string;
  /** Set by authentication. */
  principal?: Principal;
  /** Set by the organization guard: the verified claim's, or for a platform administrator the path's. */
  organizationId?: OrganizationId;
  /** Set by validation: the controller, with its checked input. */
  answer?: Answer;
  /** Set by the lease; usable until the response closes. */
  database?: ResultsDatabase;
  /** Set by the error handler, for the access log. */
  failure?: Failure;
}

export type HttpRequest = Request<
  Record<string, string>,
  unknown,
  unknown,
  Record<string, unknown>,
  HttpLocals
>;
export type HttpResponse = Response<unknown, HttpLocals>;
/** What comes before the routes, whichever one it will be. */
export type Middleware = (req: HttpRequest, res: HttpResponse, next: NextFunction) => void;
/** What happens to every request, before anything is known of it. */
export type Opening = (req: HttpRequest, res: HttpResponse) => void;
/** One step in the life of a request. What it throws or rejects with is the request's answer. */
export type Step = (req: HttpRequest, res: HttpResponse) => void | Promise<void>;

/**
 * What an earlier step has put there. Throws when that step did not run, so that a route that lost its guard
 * answers 500 and never somebody else's data.
 */
export const held = <Key extends keyof HttpLocals>(
  locals: HttpLocals,
  key: Key,
): NonNullable<HttpLocals[Key]> => {
  const value = locals[key];
  if (value === undefined || value === null) throw new Error(`no earlier step has set "${key}"`);
  return value;
};
