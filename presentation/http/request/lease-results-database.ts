import type { ResultsLease } from '../../../application/ports/databases/organization-databases.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { held, type HttpLocals, type Step } from './http-locals.ts';
import { assertServed } from './refuse-suspended.ts';

type LeaseDependencies = Pick<HttpDependencies, 'databases' | 'policies'>;

/**
 * Leases the organization's pool until the response closes. The pool of a suspended organization may still be open, for
 * requests that ran before the suspension: new requests are refused here.
 *
 * @throws {OrganizationSuspendedError}
 */
export const leaseResultsDatabase =
  (deps: LeaseDependencies): Step =>
  async (_req, res) => {
    const organizationId = held(res.locals, 'organizationId');
    res.locals.resultsOf = organizationId;
    const lease = await acquire(deps, organizationId, res.locals);
    if (res.closed) {
      // The client went away meanwhile: `close` has been emitted already.
      lease.release();
      return;
    }
    res.on('close', () => lease.release());
    res.locals.database = lease.database;
  };

/**
 * Lets a handler lease the organization's pool for moments: while bytes come and go, nothing is leased. Decision 0046.
 *
 * @throws {OrganizationSuspendedError} before any bytes come, and whenever the pool is leased
 */
export const leaseForMoments =
  (deps: LeaseDependencies): Step =>
  async (_req, { locals }) => {
    const organizationId = held(locals, 'organizationId');
    locals.resultsOf = organizationId;
    await assertServed(deps, organizationId);
    locals.withDatabase = async (work) => {
      const lease = await acquire(deps, organizationId, locals);
      try {
        return await work(lease.database);
      } finally {
        lease.release();
      }
    };
  };

const acquire = async (
  deps: LeaseDependencies,
  organizationId: OrganizationId,
  locals: HttpLocals,
): Promise<ResultsLease> => {
  await assertServed(deps, organizationId);
  const lease = await deps.databases.acquire(organizationId);
  (locals.leases ??= []).push(lease);
  return lease;
};
