export const DATABASE_STATES = ['provisioning', 'ready', 'failed', 'retiring'] as const;

/**
 * How far an organization's results database is.
 * - `provisioning`: it is being made, or an operator has given an existing one that is not stamped yet. Without a stamp,
 *   the former database was retired, and nobody has asked for a new one.
 * - `ready`: it holds the organization's results. Whether they are served, the organization's status says.
 * - `failed`: an attempt to make it failed; the next one goes on from there.
 * - `retiring`: it is being put aside.
 */
export type DatabaseState = (typeof DATABASE_STATES)[number];

/** What may follow what. A state may also be written again, because every step may be repeated. */
export const DATABASE_MOVES: Readonly<Record<DatabaseState, readonly DatabaseState[]>> = {
  provisioning: ['ready', 'failed', 'retiring'],
  // An adoption replaces a database that is ready by another one, which is not yet.
  ready: ['provisioning', 'retiring'],
  failed: ['provisioning', 'ready', 'retiring'],
  retiring: ['provisioning'],
};

/** The states in which `next` may be written, `next` itself included. */
export const statesBefore = (next: DatabaseState): readonly DatabaseState[] =>
  DATABASE_STATES.filter((state) => state === next || DATABASE_MOVES[state].includes(next));

/** Whether the making of a database in this state was begun and is not finished. */
export const isHalfMade = (state: DatabaseState): boolean => state === 'provisioning' || state === 'failed';

/** Whether a database in this state holds an organization's results. */
export const holdsResults = (state: DatabaseState): boolean => state === 'ready';
