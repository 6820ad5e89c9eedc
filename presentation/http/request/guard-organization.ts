import { OrganizationAccessDeniedError } from '../../../domain/identity/errors.ts';
import { ValidationError, type InputIssue } from '../../../domain/validation-error.ts';
import {
  organizationIdProblem,
  parseOrganizationId,
  type OrganizationId,
} from '../../../domain/organizations/organization-id.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { held, type HttpRequest, type Step } from './http-locals.ts';
import type { Route } from '../routing/route.ts';

interface Asked {
  readonly id: OrganizationId;
  readonly source: 'path' | 'header';
}

/**
 * Finds the organization of a request: the verified claim's, with which path and `X-Org-Id` must agree. A platform
 * administrator has no claim and takes the path's; that opens no results, which need a role within the organization.
 * The refusal comes before anything is looked up, so it is the same whether the other organization exists or not.
 */
export const guardOrganization =
  (scope: Route['scope'], { recordDeniedAccess, options }: HttpDependencies): Step =>
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
      return recordDeniedAccess.execute(actor, attempt).then(deny);
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

/** Path first. @throws {ValidationError} before a malformed id comes near anything else */
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
