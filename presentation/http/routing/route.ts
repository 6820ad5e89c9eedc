import type { z } from 'zod';
import type { Actor } from '../../../application/actor.ts';
import type { Origin } from '../../../application/origin.ts';
import type { ResultsDatabase } from '../../../application/ports/databases/results-database.ts';
import type { OrganizationRole, Role } from '../../../domain/identity/role.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { ErrorCode } from '../errors/error-status.ts';
import { held, type Answer, type HttpLocals, type HttpRequest } from '../request/http-locals.ts';
import { bearerToken } from '../request/authenticate.ts';
import type { Reply } from '../request/reply.ts';
import { requestParser, type Input, type RequestParts } from '../request/schema/parse-request.ts';

/** What one call holds beside its input, by the scope of its route. */
export interface PublicScope {
  /** Not verified. */
  readonly bearer: string | null;
  readonly origin: Origin;
}
export interface PlatformScope {
  readonly actor: Actor;
}
export interface OrganizationScope extends PlatformScope {
  readonly organizationId: OrganizationId;
  /** Where this caller's organization begins: `/organizations/acme`, or nothing where the claim alone decides. */
  readonly home: string;
}
export interface ResultsScope extends OrganizationScope {
  readonly database: ResultsDatabase;
}
export type Call<Parts extends RequestParts, Scope> = Scope & { readonly input: Input<Parts> };

interface ReplyDescription {
  readonly description: string;
  /** None: the body is plain text, or with 204 there is none. */
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
  readonly tag: string;
  readonly replies: Readonly<Record<number, ReplyDescription>>;
  /** Errors of this route beside those that its scope and its input bring with them. */
  readonly errors?: readonly ErrorCode[];
}

/** One route, whole: everything that is mounted, checked or documented about it comes from here. */
export interface Route extends RouteDescription {
  readonly scope: 'public' | 'caller' | 'platform' | 'organization' | 'results';
  /** Any of these may call it; empty for public routes. */
  readonly roles: readonly Role[];
  readonly request: RequestParts;
  /** Checks the input and binds it to the controller. @throws {ValidationError} */
  readonly accept: (req: HttpRequest) => Answer;
}

type Definition<Parts extends RequestParts, Scope> = RouteDescription & {
  readonly request: Parts;
  readonly handle: (call: Call<Parts, Scope>) => Reply | Promise<Reply>;
};

type RouteMaker<Scope, Allowed extends Role> = <Parts extends RequestParts>(
  roles: readonly Allowed[],
  definition: Definition<Parts, Scope>,
) => Route;

/** Puts a call together. At once: V8 makes the shape of an object that is spread and added to anew each time. */
type Enter<Scope> = <Value>(
  input: Value,
  locals: HttpLocals,
  req: HttpRequest,
) => Scope & { readonly input: Value };

const routeMaker =
  <Scope>(scope: Route['scope'], enter: Enter<Scope>): RouteMaker<Scope, Role> =>
  (roles, definition) => {
    const { handle, ...description } = definition;
    const parse = requestParser(description.request);
    return {
      ...description,
      scope,
      roles,
      accept: (req) => {
        const input = parse(req);
        return async (locals) => handle(enter(input, locals, req));
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
export const publicRoute: RouteMaker<PublicScope, never> = routeMaker('public', (input, locals, req) => ({
  input,
  bearer: bearerToken(req.headers.authorization),
  origin: originOf(locals),
}));

/** Concerns the caller alone, whoever that is. */
export const callerRoute: RouteMaker<PlatformScope, Role> = routeMaker('caller', (input, locals) => ({
  input,
  actor: actorOf(locals),
}));

/** Concerns no single organization. */
export const platformRoute: RouteMaker<PlatformScope, 'platform_admin'> = routeMaker(
  'platform',
  (input, locals) => ({ input, actor: actorOf(locals) }),
);

/** Concerns one organization, without its results. */
export const organizationRoute: RouteMaker<OrganizationScope, Role> = routeMaker(
  'organization',
  (input, locals) => ({
    input,
    actor: actorOf(locals),
    organizationId: held(locals, 'organizationId'),
    home: homeOf(locals),
  }),
);

/** Reads or writes one organization's results, on a leased database. Never for platform administrators. */
export const resultsRoute: RouteMaker<ResultsScope, OrganizationRole> = routeMaker(
  'results',
  (input, locals) => ({
    input,
    actor: actorOf(locals),
    organizationId: held(locals, 'organizationId'),
    home: homeOf(locals),
    database: held(locals, 'database'),
  }),
);
