import knex, { type Knex } from 'knex';
import type { DriverClient } from '../postgres/pg-connection.ts';

/**
 * Settings of a Knex that sends all its statements to one connection, one after the other. Knex itself opens none: only
 * `PgConnection` knows what a session has to be.
 */
export const overConnection = (current: () => Promise<DriverClient>) => ({
  client: 'pg',
  compileSqlOnError: false,
  connectionPool: {
    acquire: () => ({ promise: current() }),
    release: () => true,
    destroy: () => Promise.resolve(),
    // By these Knex tells a pool of its own kind from the driver's.
    numFree: () => 0,
    numUsed: () => 0,
    numPendingAcquires: () => 0,
  },
});

/**
 * Knex for migrations, over one connection after another: making a Knex for each database would cost as much as the
 * connect itself.
 */
export class SingleConnectionKnex {
  connection: DriverClient | null = null;
  readonly knex: Knex;

  constructor(connection: DriverClient | null = null) {
    this.connection = connection;
    this.knex = knex(overConnection(() => this.#current()));
  }

  async #current(): Promise<DriverClient> {
    if (this.connection === null) throw new Error('a migration went on after it had ended');
    return this.connection;
  }
}
