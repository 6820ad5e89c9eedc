import type { NextFunction, Request, Response } from 'express';
import type { AnswerCut } from '../../../application/ports/runtime/http-metrics.ts';
import type { RequestContext } from '../../../application/ports/runtime/request-context.ts';
import type { ResultsLease } from '../../../application/ports/databases/organization-databases.ts';
import type { ResultsDatabase, WithDatabase } from '../../../application/ports/databases/results-database.ts';
import type { Principal } from '../../../domain/identity/principal.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { InputIssue } from '../../../domain/validation-error.ts';
import type { Failure } from '../errors/failure.ts';
import type { PageReader } from './page-reader.ts';
import type { Reply } from './reply.ts';
import type { ResponseShare } from './response-account.ts';

/** A route's handler with its checked input. It still needs what the later steps find. */
export type Answer = (locals: HttpLocals) => Promise<Reply>;

/** What the steps of one request pass to each other in `res.locals`. */
export interface HttpLocals {
  requestId: string;
  /** The client's IP address. It is a proxy's when `trustedProxies` does not count that proxy. */
  address: string | null;
  startedAtMs: number;
  context: RequestContext;
  /** The path pattern of the matched route; `unmatched` before a route matches. */
  route: string;
  /** Set by authentication. */
  principal?: Principal;
  /** Set by the organization guard: the verified claim's; the path's for a platform administrator. */
  organizationId?: OrganizationId;
  /** Set by the account of responses. Public routes have none. */
  share?: ResponseShare;
  /** Set by the account of responses. */
  pages?: PageReader;
  /** Set with the body. */
  bodyBytes?: number;
  /** What the text of the body must not hold. Set with the body. */
  bodyIssues?: readonly InputIssue[];
  /** Set by validation. */
  answer?: Answer;
  /** Set before the lease: whose results the request is about. */
  resultsOf?: OrganizationId;
  /** Of the organization's database, each that the request has had. For the access log. */
  leases?: ResultsLease[];
  /** Set by the lease; usable until the response closes. */
  database?: ResultsDatabase;
  /** Set for routes of files: leases the organization's database for moments. */
  withDatabase?: WithDatabase;
  /** Bytes of any number go in or out, as fast as the client can: other deadlines hold. */
  streams?: boolean;
  /** Set by the error handler, for the access log. */
  failure?: Failure;
  /** Set when an answer begins that has no end of its own, in `performance.now()`. */
  streamBeganAtMs?: number;
  /** Set when the server ends the connection in the middle of the answer: why. */
  cut?: AnswerCut;
}

export type HttpRequest = Request<
  Record<string, string>,
  unknown,
  unknown,
  Record<string, unknown>,
  HttpLocals
>;
export type HttpResponse = Response<unknown, HttpLocals>;
/** Runs before the routes. */
export type Middleware = (req: HttpRequest, res: HttpResponse, next: NextFunction) => void;
/** Runs first on every request, and is synchronous. */
export type Opening = (req: HttpRequest, res: HttpResponse) => void;
/** One step of a request to a route. If it throws or rejects, the error decides the answer. */
export type Step = (req: HttpRequest, res: HttpResponse) => void | Promise<void>;

/**
 * What an earlier step has set.
 *
 * @throws {Error} when that step did not run: a route without its guard then answers 500, never another organization's
 * data
 */
export const held = <Key extends keyof HttpLocals>(
  locals: HttpLocals,
  key: Key,
): NonNullable<HttpLocals[Key]> => {
  const value = locals[key];
  if (value === undefined || value === null) throw new Error(`no earlier step has set "${key}"`);
  return value;
};
