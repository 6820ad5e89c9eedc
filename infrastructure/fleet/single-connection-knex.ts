import knex, { type Knex } from 'knex';
import type { Client } from 'pg';

/**
 * Knex for migrations, over one connection after another: making a Knex for each database would cost as much as the
 * connect itself. All that is asked of it goes to `connection`, one statement after the other.
 */
export class SingleConnectionKnex {
  connection: Client | null = null;
  readonly knex: Knex;

  constructor() {
    const connectionPool = {
      acquire: () => ({ promise: this.#current() }),
      release: () => true,
      destroy: () => Promise.resolve(),
      // By these Knex tells a pool of its own kind from the driver's.
      numFree: () => 0,
      numUsed: () => 0,
      numPendingAcquires: () => 0,
    };
    this.knex = knex({ client: 'pg', compileSqlOnError: false, connectionPool });
  }

  async #current(): Promise<Client> {
    if (this.connection === null) throw new Error('a migration went on after it had ended');
    return this.connection;
  }
}
