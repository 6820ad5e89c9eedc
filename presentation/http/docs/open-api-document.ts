import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathItemObject,
  type ZodOpenApiRequestBodyObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { errorStatus, type ErrorCode } from '../errors/error-status.ts';
import type { HttpOptions } from '../http-dependencies.ts';
import type { Scope } from '../request/guard-organization.ts';
import { REASON_HEADER } from '../request/audit-reason.ts';
import { addsResults, isPublicWrite, namesOrganization, type Route } from '../routing/route.ts';
import { TAGS } from '../routing/tags.ts';
import { organizationId } from '../request/schema/fields.ts';

const problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string().meta({ description: 'Stable: programs decide by it' }),
    request_id: z.string(),
    errors: z
      .array(z.strictObject({ path: z.string(), message: z.string() }))
      .optional()
      .meta({
        description:
          'With `validation_failed`: fields by dotted names, whichever part of the request they are in',
      }),
    organizations: z
      .array(z.string())
      .optional()
      .meta({ description: 'With `organization_choice_required`: all organizations of the user' }),
  })
  .meta({ id: 'Problem' });

/** Writes the OpenAPI 3.1 document of these routes as JSON text. */
export const openApiDocument = (
  routes: readonly Route[],
  { version, maxOrganizationIdLength }: Pick<HttpOptions, 'version' | 'maxOrganizationIdLength'>,
): string => {
  const orgId = organizationId(maxOrganizationIdLength);
  const paths: Record<string, ZodOpenApiPathItemObject> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route, orgId) };
  }
  const document = createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Molecular Analysis Dashboard',
      version,
      description: 'Docking jobs and their results, in one database per organization.',
      contact: { name: 'Molecular Analysis Dashboard' },
      license: { name: 'UNLICENSED', identifier: 'LicenseRef-UNLICENSED' },
    },
    servers: [{ url: '/', description: 'The service that this document came from' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    paths,
  });
  prune(document, isUnportable);
  prune(document.components?.schemas, isOfRequests);
  for (const item of Object.values(document.paths ?? {}))
    for (const operation of Object.values(item)) prune(fieldOf(operation, 'responses'), isOfRequests);
  return JSON.stringify(document);
};

/** Deletes fields, at any depth. */
const prune = (node: unknown, isUnwanted: (name: string, value: unknown) => boolean): void => {
  if (typeof node !== 'object' || node === null) return;
  for (const [name, value] of Object.entries(node)) {
    if (isUnwanted(name, value)) Reflect.deleteProperty(node, name);
    else prune(value, isUnwanted);
  }
};

/** A class such as `\P{Cc}` means something else to a validator that does not read patterns as Unicode. */
const isUnportable = (name: string, value: unknown): boolean =>
  name === 'pattern' && typeof value === 'string' && /\\p\{/i.test(value);

/**
 * Lets replies grow: a client that validates what it gets must not break at the next field. The schemas themselves stay
 * strict, which is how the tests find a field that is not documented. Nor are limits of JavaScript's numbers limits of
 * what the API says.
 */
const isOfRequests = (name: string, value: unknown): boolean =>
  (name === 'additionalProperties' && value === false) ||
  (name === 'minimum' && value === Number.MIN_SAFE_INTEGER) ||
  (name === 'maximum' && value === Number.MAX_SAFE_INTEGER);

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

const operationOf = (route: Route, orgId: z.ZodType): ZodOpenApiOperationObject => {
  const { params, query, headers, body } = route.request;
  const isPublic = route.scope === 'public';
  const path = namesOrganization(route.path) ? z.object({ org_id: orgId, ...params?.shape }) : params;
  const header = isPublic
    ? headers
    : z.object({
        'X-Org-Id': orgId.optional(),
        ...(route.method !== 'get' && { [REASON_HEADER]: reasonHeader }),
        ...headers?.shape,
      });
  return {
    operationId: route.name,
    summary: route.summary,
    tags: [route.tag],
    security: isPublic ? [] : [{ bearer: [] }],
    description: isPublic ? 'Needs no token.' : `Roles: ${route.roles.join(', ')}.`,
    requestParams: { ...(path && { path }), ...(query && { query }), ...(header && { header }) },
    ...(body && { requestBody: requestBodyOf(body) }),
    ...(route.receivesBytes === true && { requestBody: BYTES_BODY }),
    responses: { ...errorReplies(route), ...plainReplies(route) },
  };
};

/** Swagger UI shows the example of a media type, not that of its schema. */
const requestBodyOf = (schema: z.ZodObject): ZodOpenApiRequestBodyObject => ({
  required: true,
  content: { 'application/json': { schema, example: schema.meta()?.['example'] } },
});

const BYTES_BODY: ZodOpenApiRequestBodyObject = {
  required: true,
  content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
};

const reasonHeader = z
  .string()
  .optional()
  .meta({ description: 'Why: the audit trail keeps it. Percent-encoded beyond ASCII' });

const requestIdHeader = z.string().meta({ description: 'Taken from the request when sane, else made' });

const HEADERS: Readonly<Record<string, z.ZodRawShape>> = {
  201: {
    Location: z.string().optional().meta({ description: 'The URL of what was made, if it has one' }),
  },
  401: { 'WWW-Authenticate': z.string() },
  429: { 'Retry-After': z.int().optional().meta({ description: 'Seconds' }) },
  503: { 'Retry-After': z.int().optional().meta({ description: 'Seconds' }) },
};

const headersOf = (status: string): z.ZodObject =>
  z.object({ 'X-Request-Id': requestIdHeader, ...HEADERS[status] });

const plainReplies = ({ replies }: Route): ZodOpenApiResponsesObject =>
  Object.fromEntries(
    Object.entries(replies).map(([status, { description, schema, contentType, otherContentType }]) => [
      status,
      {
        description,
        headers: headersOf(status),
        ...(status !== '204' &&
          status !== '304' && {
            content: {
              [contentType ?? 'application/json']: { schema: schema ?? z.string() },
              ...(otherContentType !== undefined && { [otherContentType]: { schema: z.string() } }),
            },
          }),
      },
    ]),
  );

const errorReplies = (route: Route): ZodOpenApiResponsesObject =>
  Object.fromEntries(
    Array.from(codesByStatus(route), ([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\``).join(', '),
        headers: headersOf(String(status)),
        content: { 'application/problem+json': { schema: problem } },
      },
    ]),
  );

const codesByStatus = (route: Route): ReadonlyMap<number, readonly ErrorCode[]> => {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorCodesOf(route)) {
    const { status } = errorStatus(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
};

/** All errors that a route can answer with: its own, and those of its input and its scope. */
export const errorCodesOf = (route: Route): ReadonlySet<ErrorCode> =>
  new Set<ErrorCode>([
    ...(route.request.body === undefined ? [] : BODY_ERRORS),
    ...(route.request.body !== undefined && route.scope !== 'public' ? (['organization_busy'] as const) : []),
    ...(isPublicWrite(route) ? (['too_many_attempts'] as const) : []),
    ...(route.isDangerous === true ? (['confirmation_required'] as const) : []),
    ...(addsResults(route) ? (['storage_quota_exceeded'] as const) : []),
    ...SCOPE_ERRORS[route.scope],
    ...(route.errors ?? []),
    'validation_failed',
    'internal_error',
  ]);

const BODY_ERRORS: readonly ErrorCode[] = ['malformed_json', 'body_too_large', 'unsupported_media_type'];
const CALLER_ERRORS: readonly ErrorCode[] = [
  'unauthenticated',
  'organization_access_denied',
  'role_required',
  // Too many bytes of answers are under way.
  'organization_busy',
  'database_unavailable',
];
const RESULTS_ERRORS: readonly ErrorCode[] = [
  ...CALLER_ERRORS,
  'organization_suspended',
  'organization_not_found',
  'organization_database_not_found',
  'organization_not_ready',
  'database_provisioning_failed',
  'no_server_available',
  'connection_budget_exhausted',
];
const SCOPE_ERRORS: Readonly<Record<Scope, readonly ErrorCode[]>> = {
  public: [],
  // Also where the path names no organization: the header may name one.
  caller: CALLER_ERRORS,
  platform: CALLER_ERRORS,
  organization: CALLER_ERRORS,
  active: [...CALLER_ERRORS, 'organization_suspended', 'organization_not_found'],
  results: RESULTS_ERRORS,
  files: [...RESULTS_ERRORS, 'files_unavailable'],
};
