import type { OrganizationDatabases } from '../../../application/ports/organization-databases.ts';
import { held, type AsyncStep } from '../http-locals.ts';

/** Opens the organization's pool, or finds it, and holds it for as long as the response is open. */
export const leaseResultsDatabase =
  (databases: OrganizationDatabases): AsyncStep =>
  async (_req, res, next) => {
    const lease = await databases.acquire(held(res.locals, 'organizationId'));
    if (res.closed) {
      // The client went away meanwhile, and `close` will not come again.
      lease.release();
      return;
    }
    res.once('close', () => lease.release());
    res.locals.database = lease.database;
    next();
  };
