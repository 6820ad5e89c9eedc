import { OrganizationSuspendedError } from '../../../domain/organizations/errors.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { held, type Step } from './http-locals.ts';

/**
 * Opens the organization's pool, or finds it, and holds it for as long as the response is open. A suspended organization's
 * pool may still be there, for the requests that ran when it was suspended; it takes no new ones.
 */
export const leaseResultsDatabase =
  ({ databases, policies }: Pick<HttpDependencies, 'databases' | 'policies'>): Step =>
  async (_req, res) => {
    const organizationId = held(res.locals, 'organizationId');
    if (policies.isSuspended(organizationId)) throw new OrganizationSuspendedError();
    const lease = await databases.acquire(organizationId);
    if (res.closed) {
      // The client went away meanwhile, and `close` will not come again.
      lease.release();
      return;
    }
    res.on('close', () => lease.release());
    res.locals.database = lease.database;
  };
