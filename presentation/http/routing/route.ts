import type { z } from 'zod';
import type { Actor } from '../../../application/actor.ts';
import type { Origin } from '../../../application/origin.ts';
import type { ResultsDatabase, WithDatabase } from '../../../application/ports/databases/results-database.ts';
import type { OrganizationRole, Role } from '../../../domain/identity/role.ts';
import type { InputIssue } from '../../../domain/validation-error.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { ErrorCode } from '../errors/error-status.ts';
import { bearerToken } from '../request/authenticate.ts';
import type { Scope } from '../request/guard-organization.ts';
import { reasonOf } from '../request/audit-reason.ts';
import { held, type Answer, type HttpLocals, type HttpRequest } from '../request/http-locals.ts';
import type { PageReader } from '../request/page-reader.ts';
import type { Reply } from '../request/reply.ts';
import { assertSameOrigin, sessionSecret } from '../request/browser-request.ts';
import type { Tag } from './tags.ts';
import { requestParser, type Input, type RequestParts } from '../request/schema/parse-request.ts';

interface ReplyDescription {
  readonly description: string;
  /** Absent when the body is plain text, and with 204. */
  readonly schema?: z.ZodType;
  readonly contentType?: string;
  /** Of the same answer, to a client that prefers this type. */
  readonly otherContentType?: string;
}

interface RouteDescription {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As in OpenAPI: `/organizations/{org_id}`. */
  readonly path: string;
  /** Unique; OpenAPI's `operationId`. */
  readonly name: string;
  readonly summary: string;
  readonly tag: Tag;
  readonly replies: Readonly<Record<number, ReplyDescription>>;
  /** The most that a caller may send; 8 KiB by default. */
  readonly maxBodyBytes?: number;
  /**
   * Whether long answers are compressed. Never where a secret may stand beside what a caller sent: its length would tell
   * about the secret (BREACH). Default: no.
   */
  readonly compress?: boolean;
  /** The body is bytes of any kind, which the handler reads. Default: no. */
  readonly receivesBytes?: boolean;
  /**
   * Whether it makes the organization's database larger. By default a route of results does that has a body and is no PATCH.
   * What only changes rows is taken when the database is full: jobs have to end.
   */
  readonly addsResults?: boolean;
  /**
   * It cannot be taken back, or it gives access that gets around the password: in a browser's session the password has to be
   * given again. Decision 0052. Default: no.
   */
  readonly isDangerous?: boolean;
  /** The route's own errors. Its scope and its input add theirs. */
  readonly errors?: readonly ErrorCode[];
}

/** All there is to know about a route. The same object is mounted, checked, authorized and documented. */
export interface Route extends RouteDescription {
  readonly scope: Scope;
  /** A caller needs one of these; empty for public routes. */
  readonly roles: readonly Role[];
  readonly request: RequestParts;
  readonly maxBodyBytes: number;
  /**
   * Checks the input and binds it to the handler.
   *
   * @param bodyIssues what is wrong with the text of the body
   * @throws {ValidationError}
   */
  readonly accept: (req: HttpRequest, bodyIssues: readonly InputIssue[]) => Answer;
}

export const EVENT_STREAM_TYPE = 'text/event-stream';

/** For a body of a few fields. It holds the longest ones in UTF-8; a test says so. */
const DEFAULT_BODY_BYTES = 8 * 1024;
/** For a body with a text of a few thousand characters. */
export const TEXT_BODY_BYTES = 32 * 1024;
/** For a body that is kept as a document. */
export const DOCUMENT_BODY_BYTES = 1024 * 1024;
/** For a body with a thousand documents, which are small as a rule. */
export const BATCH_BODY_BYTES = 8 * 1024 * 1024;

/** What a handler gets beside its input depends on the scope of its route. */
interface PublicCall {
  /** Not verified. */
  readonly bearer: string | null;
  readonly origin: Origin;
}
interface BrowserCall {
  /** Of the cookie; null when there is none. */
  readonly secret: string | null;
  /** Whether the browser came by https. */
  readonly isSecure: boolean;
  readonly origin: Origin;
}
interface PlatformCall {
  readonly actor: Actor;
  /** Lists read their page through it. */
  readonly pages: PageReader;
}
interface PlatformStreamCall extends PlatformCall, StreamCall {}
interface StreamCall {
  /** Verified. It may end while the answer lasts. */
  readonly bearer: string;
  /** Whether the client would rather have a stream of events. */
  readonly prefersEvents: boolean;
}
interface OrganizationCall extends PlatformCall {
  readonly organizationId: OrganizationId;
  /** What a `Location` begins with: `/organizations/acme`, or nothing when the path names no organization. */
  readonly home: string;
}
/** It leases the database when it needs it: never while bytes come or go. */
interface FilesCall extends OrganizationCall {
  readonly withDatabase: WithDatabase;
  /** For its body and its conditions. */
  readonly request: HttpRequest;
}
interface ActiveCall extends OrganizationCall, StreamCall {}
interface ResultsCall extends OrganizationCall {
  readonly database: ResultsDatabase;
  readonly bodyBytes: number;
}

type Definition<Parts extends RequestParts, Call> = RouteDescription & {
  readonly request: Parts;
  readonly handle: (call: Call & { readonly input: Input<Parts> }) => Reply | Promise<Reply>;
};

type RouteMaker<Call, Allowed extends Role> = <Parts extends RequestParts>(
  roles: readonly Allowed[],
  definition: Definition<Parts, Call>,
) => Route;

/** Builds a call in one object literal: V8 makes a new hidden class whenever an object is spread and extended. */
type BuildCall<Call> = <Value>(
  input: Value,
  locals: HttpLocals,
  req: HttpRequest,
) => Call & { readonly input: Value };

const routeMaker =
  <Call>(scope: Scope, buildCall: BuildCall<Call>): RouteMaker<Call, Role> =>
  (roles, definition) => {
    const { handle, ...description } = definition;
    const parse = requestParser(description.request);
    return {
      ...description,
      maxBodyBytes: description.maxBodyBytes ?? DEFAULT_BODY_BYTES,
      scope,
      roles,
      accept: (req, bodyIssues) => {
        const input = parse(req, bodyIssues);
        return async (locals) => handle(buildCall(input, locals, req));
      },
    };
  };

const actorOf = (locals: HttpLocals, req: HttpRequest): Actor => ({
  principal: held(locals, 'principal'),
  requestId: locals.requestId,
  address: locals.address,
  reason: reasonOf(req),
});

const originOf = ({ requestId, address }: HttpLocals): Origin => ({
  requestId,
  address: address ?? 'unknown',
});

const homeOf = (locals: HttpLocals): string =>
  namesOrganization(locals.route) ? `/organizations/${held(locals, 'organizationId')}` : '';

const prefersEvents = (req: HttpRequest): boolean =>
  req.accepts(['application/json', EVENT_STREAM_TYPE]) === EVENT_STREAM_TYPE;

/** Anyone may send it a body. */
export const isPublicWrite = ({ scope, request }: Route): boolean =>
  scope === 'public' && request.body !== undefined;

/** It makes the organization's database larger. */
export const addsResults = ({ scope, method, request, addsResults: adds }: Route): boolean =>
  scope === 'results' && (adds ?? (method !== 'patch' && request.body !== undefined));

export const namesOrganization = (path: string): boolean => path.includes('{org_id}');

/** Anyone may call it. */
export const publicRoute: RouteMaker<PublicCall, never> = routeMaker('public', (input, locals, req) => ({
  input,
  bearer: bearerToken(req.headers.authorization),
  origin: originOf(locals),
}));

/**
 * For the pages of this service alone: it reads the cookie of a browser's session, which no other route does. Decision 0052.
 */
export const browserRoute: RouteMaker<BrowserCall, never> = routeMaker('public', (input, locals, req) => {
  assertSameOrigin(req);
  return { input, secret: sessionSecret(req), isSecure: req.secure, origin: originOf(locals) };
});

/** Concerns the caller alone. */
export const callerRoute: RouteMaker<PlatformCall, Role> = routeMaker('caller', (input, locals, req) => ({
  input,
  actor: actorOf(locals, req),
  pages: held(locals, 'pages'),
}));

/** Concerns no single organization. */
export const platformRoute: RouteMaker<PlatformCall, 'platform_admin'> = routeMaker(
  'platform',
  (input, locals, req) => ({ input, actor: actorOf(locals, req), pages: held(locals, 'pages') }),
);

/** As `platformRoute`, for an answer that may outlast the caller's token. */
export const platformStreamRoute: RouteMaker<PlatformStreamCall, 'platform_admin'> = routeMaker(
  'platform',
  (input, locals, req) => ({
    input,
    actor: actorOf(locals, req),
    pages: held(locals, 'pages'),
    bearer: bearerToken(req.headers.authorization) ?? '',
    prefersEvents: prefersEvents(req),
  }),
);

/** Concerns one organization, without its results. */
export const organizationRoute: RouteMaker<OrganizationCall, Role> = routeMaker(
  'organization',
  (input, locals, req) => ({
    input,
    actor: actorOf(locals, req),
    pages: held(locals, 'pages'),
    organizationId: held(locals, 'organizationId'),
    home: homeOf(locals),
  }),
);

/** Concerns one organization's work, without a database of its results. A suspended organization is refused. */
export const activeOrganizationRoute: RouteMaker<ActiveCall, OrganizationRole> = routeMaker(
  'active',
  (input, locals, req) => ({
    input,
    actor: actorOf(locals, req),
    pages: held(locals, 'pages'),
    organizationId: held(locals, 'organizationId'),
    home: homeOf(locals),
    bearer: bearerToken(req.headers.authorization) ?? '',
    prefersEvents: prefersEvents(req),
  }),
);

/** Reads or writes one organization's results, through a leased database. Platform administrators cannot call it. */
export const resultsRoute: RouteMaker<ResultsCall, OrganizationRole> = routeMaker(
  'results',
  (input, locals, req) => ({
    input,
    actor: actorOf(locals, req),
    pages: held(locals, 'pages'),
    organizationId: held(locals, 'organizationId'),
    home: homeOf(locals),
    database: held(locals, 'database'),
    bodyBytes: locals.bodyBytes ?? 0,
  }),
);

/** Reads or writes one organization's files. Platform administrators cannot call it. Decision 0046. */
export const filesRoute: RouteMaker<FilesCall, OrganizationRole> = routeMaker(
  'files',
  (input, locals, req) => ({
    input,
    actor: actorOf(locals, req),
    pages: held(locals, 'pages'),
    organizationId: held(locals, 'organizationId'),
    home: homeOf(locals),
    withDatabase: held(locals, 'withDatabase'),
    request: req,
  }),
);
