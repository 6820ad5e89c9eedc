import type { Placement } from '../../domain/databases/placement.ts';
import type { Announce } from '../provisioning/provisioner.ts';
import type { ConnectionPool } from '../pools/connection-pool.ts';

/**
 * Opens an organization's pool, and begins its first login while the database still takes its name. Nobody gets the
 * pool before `ensure` has ended well: until then the ledger may not know the database as ready.
 *
 * @param open opens no connection by itself; those of the pool wait for `arrived` before they log in
 */
export const openEarly = async (
  ensure: (announce: Announce) => Promise<Placement>,
  open: (placement: Placement, arrived?: Promise<boolean>) => ConnectionPool,
): Promise<ConnectionPool> => {
  let early: { readonly pool: ConnectionPool; readonly arrived: Promise<boolean> } | undefined;
  let discarded: Promise<unknown> = Promise.resolve();
  const discard = (): void => {
    discarded = Promise.all([discarded, early?.pool.close()]);
    early = undefined;
  };
  try {
    const placement = await ensure((announced, arrived) => {
      // A spare that was announced before did not come there.
      discard();
      early = { pool: open(announced, arrived), arrived };
      return early.pool.prepare();
    });
    if (early !== undefined && !(await early.arrived)) discard();
    // What its login was refused for is no news of the pool that takes its place.
    await discarded;
    return early?.pool ?? open(placement);
  } catch (error) {
    discard();
    await discarded;
    throw error;
  }
};
