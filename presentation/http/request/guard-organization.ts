import { OrganizationAccessDeniedError } from '../../../domain/identity/errors.ts';
import { ValidationError, type InputIssue } from '../../../domain/validation-error.ts';
import {
  organizationIdProblem,
  parseOrganizationId,
  type OrganizationId,
} from '../../../domain/organizations/organization-id.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { held, type HttpRequest, type Step } from './http-locals.ts';

/** Whom a route concerns: this decides what it needs of the token. */
export type Scope = 'public' | 'caller' | 'platform' | 'organization' | 'active' | 'results' | 'files';

interface Asked {
  readonly id: OrganizationId;
  readonly source: 'path' | 'header';
}

/**
 * Decides the organization of a request: the verified claim's, and the path and `X-Org-Id` must agree with it. A platform
 * administrator has no claim, so the path decides; results stay closed, because they need a role within the organization.
 * The guard refuses before anything is looked up, so the answer does not tell whether the other organization exists.
 *
 * @throws {OrganizationAccessDeniedError} and records the attempt in the audit trail
 */
export const guardOrganization =
  (scope: Scope, { recordDeniedAccess, options }: HttpDependencies): Step =>
  (req, res) => {
    const { locals } = res;
    const principal = held(locals, 'principal');
    const asked = askedOrganizations(req, options.maxOrganizationIdLength);
    const own = principal.organizationId;
    const namesNone = scope === 'platform' || scope === 'caller';
    const belongsNowhere = own === null && !principal.roles.has('platform_admin') && !namesNone;
    const expected = own ?? asked[0]?.id;
    const foreign = belongsNowhere ? asked[0] : asked.find(({ id }) => id !== expected);
    if (foreign !== undefined) {
      const actor = { principal, requestId: locals.requestId, address: locals.address };
      const attempt = { asked: foreign.id, source: foreign.source, route: locals.route };
      return recordDeniedAccess(actor, attempt).then(deny);
    }
    if (belongsNowhere) deny();

    const organizationId = own ?? asked.find(({ source }) => source === 'path')?.id;
    if (organizationId !== undefined) {
      locals.organizationId = organizationId;
      locals.context.organizationId = organizationId;
    }
    return undefined;
  };

const deny = (): never => {
  throw new OrganizationAccessDeniedError();
};

/** The path's first. @throws {ValidationError} for a malformed id, before anything else sees it */
const askedOrganizations = (req: HttpRequest, maxLength: number): readonly Asked[] => {
  const values = [
    { source: 'path', field: 'org_id', value: req.params['org_id'] },
    { source: 'header', field: 'X-Org-Id', value: req.get('X-Org-Id') },
  ] as const;
  const issues: InputIssue[] = [];
  const asked: Asked[] = [];
  for (const { source, field, value } of values) {
    if (value === undefined) continue;
    const problem = organizationIdProblem(value, maxLength);
    if (problem === null) asked.push({ source, id: parseOrganizationId(value, maxLength) });
    else issues.push({ path: field, message: problem });
  }
  if (issues.length > 0) throw new ValidationError(issues);
  return asked;
};
