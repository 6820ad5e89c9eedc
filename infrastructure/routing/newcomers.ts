import type { Claimed } from '../../application/ports/databases/provisioning.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { DatabaseServer } from '../../application/ports/databases/database-server.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import { SerialQueue } from '../timing/serial-queue.ts';

/** A claim that waits for another process does not keep the next one waiting for longer. */
const CLAIM_PATIENCE_MS = 250;
const TURN_DEADLINE_MS = 60_000;

export interface NewcomersDeps {
  /** The server on which a claimed database is made. */
  readonly serverOf: (placement: Placement) => Pick<DatabaseServer, 'welcome'>;
}

export interface Entry<Result> {
  readonly enter: (claimed: Claimed) => Promise<Result>;
  /** Resolves when the first request has its answer, however it ends. */
  readonly served: Promise<void>;
}

/**
 * Lets the new organizations of this process in one after another. Their claims have turns of their own, as a claim decides
 * on which server the database is made: the claims of all servers lock the same rows of the ledger, so many at once would
 * each hold a connection and wait for the others. Only two claims of those that are to be made wait for a server at a
 * time: what a hundred newcomers write is spread over the time that their databases take. Decision 0023.
 */
export class Newcomers {
  readonly #serverOf: NewcomersDeps['serverOf'];
  readonly #claims = new SerialQueue(CLAIM_PATIENCE_MS);
  /** Resolves when the making of the database that was claimed last has begun, or will not begin. */
  #lastBegun: Promise<void> = Promise.resolve();

  constructor({ serverOf }: NewcomersDeps) {
    this.#serverOf = serverOf;
  }

  /**
   * Runs `claim` when the claims before it have ended, and then `enter` when the server that was claimed makes no other
   * database. Settles as `enter` does. The server stays taken until `served` has resolved as well: the first statement on a
   * new database keeps a processor busy for as long as a login.
   *
   * @throws {DatabaseConnectionError} when the turn comes after more than a minute
   */
  admit<Result>(claim: () => Promise<Claimed>, { enter, served }: Entry<Result>): Promise<Result> {
    const askedAt = performance.now();
    return new Promise((resolve, reject) => {
      const claiming = this.#claims.run(async () => {
        if (performance.now() - askedAt > TURN_DEADLINE_MS)
          throw new DatabaseConnectionError('Too many databases are being made at once.');
        const claimed = await claim();
        const server = this.#serverOf(claimed.placement);
        const begunBefore = this.#lastBegun;
        this.#lastBegun = new Promise((begun) => {
          const turn = server.welcome(async () => {
            begun();
            const entering = enter(claimed);
            resolve(entering);
            await entering;
            await served;
          });
          // It may be refused before it began.
          turn.catch(reject).finally(begun);
        });
        await begunBefore;
      });
      claiming.catch(reject);
    });
  }
}
