import type { Announce, Placement } from '../provisioning/provisioner.ts';
import type { ConnectionPool } from './connection-pool.ts';

/**
 * Opens an organization's pool, and begins its first login while a spare still takes the organization's name. Nobody gets
 * the pool before `ensure` has ended well: until then the ledger may not know the database as ready.
 *
 * @param open opens no connection by itself; those of the pool wait for `arrived` before they log in
 */
export const openEarly = async (
  ensure: (announce: Announce) => Promise<Placement>,
  open: (placement: Placement, arrived?: Promise<boolean>) => ConnectionPool,
): Promise<ConnectionPool> => {
  let early: { readonly pool: ConnectionPool; readonly arrived: Promise<boolean> } | undefined;
  const unused = (): Promise<void> | undefined => early?.pool.close();
  try {
    const placement = await ensure((announced, arrived) => {
      early = { pool: open(announced, arrived), arrived };
      early.pool.prepare();
    });
    if (early !== undefined && (await early.arrived)) return early.pool;
    await unused();
    return open(placement);
  } catch (error) {
    await unused();
    throw error;
  }
};
