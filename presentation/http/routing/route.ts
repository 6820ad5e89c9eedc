import type { z } from 'zod';
import type { Actor } from '../../../application/actor.ts';
import type { Origin } from '../../../application/origin.ts';
import type { ResultsDatabase } from '../../../application/ports/databases/results-database.ts';
import type { OrganizationRole, Role } from '../../../domain/identity/role.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { ErrorCode } from '../errors/error-status.ts';
import { bearerToken } from '../request/authenticate.ts';
import type { Scope } from '../request/guard-organization.ts';
import { held, type Answer, type HttpLocals, type HttpRequest } from '../request/http-locals.ts';
import type { Reply } from '../request/reply.ts';
import type { Tag } from './tags.ts';
import { requestParser, type Input, type RequestParts } from '../request/schema/parse-request.ts';

interface ReplyDescription {
  readonly description: string;
  /** Absent when the body is plain text, and with 204. */
  readonly schema?: z.ZodType;
  readonly contentType?: string;
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
  /**
   * Whether long answers are compressed. Never where a secret may stand beside what a caller sent: its length would tell
   * about the secret (BREACH). Default: no.
   */
  readonly compress?: boolean;
  /** The route's own errors. Its scope and its input add theirs. */
  readonly errors?: readonly ErrorCode[];
}

/** All there is to know about a route. The same object is mounted, checked, authorized and documented. */
export interface Route extends RouteDescription {
  readonly scope: Scope;
  /** A caller needs one of these; empty for public routes. */
  readonly roles: readonly Role[];
  readonly request: RequestParts;
  /** Checks the input and binds it to the handler. @throws {ValidationError} */
  readonly accept: (req: HttpRequest) => Answer;
}

/** What a handler gets beside its input depends on the scope of its route. */
interface PublicCall {
  /** Not verified. */
  readonly bearer: string | null;
  readonly origin: Origin;
}
interface PlatformCall {
  readonly actor: Actor;
}
interface OrganizationCall extends PlatformCall {
  readonly organizationId: OrganizationId;
  /** What a `Location` begins with: `/organizations/acme`, or nothing when the path names no organization. */
  readonly home: string;
}
interface ResultsCall extends OrganizationCall {
  readonly database: ResultsDatabase;
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
      scope,
      roles,
      accept: (req) => {
        const input = parse(req);
        return async (locals) => handle(buildCall(input, locals, req));
      },
    };
  };

const actorOf = (locals: HttpLocals): Actor => ({
  principal: held(locals, 'principal'),
  requestId: locals.requestId,
  address: locals.address,
});

const originOf = ({ requestId, address }: HttpLocals): Origin => ({
  requestId,
  address: address ?? 'unknown',
});

const homeOf = (locals: HttpLocals): string =>
  namesOrganization(locals.route) ? `/organizations/${held(locals, 'organizationId')}` : '';

export const namesOrganization = (path: string): boolean => path.includes('{org_id}');

/** Anyone may call it. */
export const publicRoute: RouteMaker<PublicCall, never> = routeMaker('public', (input, locals, req) => ({
  input,
  bearer: bearerToken(req.headers.authorization),
  origin: originOf(locals),
}));

/** Concerns the caller alone. */
export const callerRoute: RouteMaker<PlatformCall, Role> = routeMaker('caller', (input, locals) => ({
  input,
  actor: actorOf(locals),
}));

/** Concerns no single organization. */
export const platformRoute: RouteMaker<PlatformCall, 'platform_admin'> = routeMaker(
  'platform',
  (input, locals) => ({ input, actor: actorOf(locals) }),
);

/** Concerns one organization, without its results. */
export const organizationRoute: RouteMaker<OrganizationCall, Role> = routeMaker(
  'organization',
  (input, locals) => ({
    input,
    actor: actorOf(locals),
    organizationId: held(locals, 'organizationId'),
    home: homeOf(locals),
  }),
);

/** Reads or writes one organization's results, through a leased database. Platform administrators cannot call it. */
export const resultsRoute: RouteMaker<ResultsCall, OrganizationRole> = routeMaker(
  'results',
  (input, locals) => ({
    input,
    actor: actorOf(locals),
    organizationId: held(locals, 'organizationId'),
    home: homeOf(locals),
    database: held(locals, 'database'),
  }),
);
