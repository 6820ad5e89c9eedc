import { OrganizationSuspendedError } from '../../../domain/organizations/errors.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { held, type Step } from './http-locals.ts';

type Policies = Pick<HttpDependencies, 'policies'>;

/** @throws {OrganizationSuspendedError} */
export const assertServed = async ({ policies }: Policies, organizationId: OrganizationId): Promise<void> => {
  await policies.confirm(organizationId);
  if (policies.isSuspended(organizationId)) throw new OrganizationSuspendedError();
};

/** For routes that tell about an organization's work and need no database of its results. */
export const refuseSuspended =
  (deps: Policies): Step =>
  (_req, res) =>
    assertServed(deps, held(res.locals, 'organizationId'));
