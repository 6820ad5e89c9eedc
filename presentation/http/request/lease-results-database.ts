import type { HttpDependencies } from '../http-dependencies.ts';
import { held, type Step } from './http-locals.ts';
import { assertServed } from './refuse-suspended.ts';

/**
 * Leases the organization's pool until the response closes. The pool of a suspended organization may still be open, for
 * requests that ran before the suspension: new requests are refused here.
 *
 * @throws {OrganizationSuspendedError}
 */
export const leaseResultsDatabase =
  ({ databases, ...deps }: Pick<HttpDependencies, 'databases' | 'policies'>): Step =>
  async (_req, res) => {
    const organizationId = held(res.locals, 'organizationId');
    await assertServed(deps, organizationId);
    const lease = await databases.acquire(organizationId);
    if (res.closed) {
      // The client went away meanwhile: `close` has been emitted already.
      lease.release();
      return;
    }
    res.on('close', () => lease.release());
    res.locals.database = lease.database;
  };
