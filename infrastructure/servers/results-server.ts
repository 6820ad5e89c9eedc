import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { OrganizationNotReadyError } from '../../domain/databases/errors.ts';
import type { PooledDatabase } from '../pools/pooled-database.ts';
import { pollUntil } from '../timing/poll-until.ts';
import type { OrganizationLogins } from './organization-logins.ts';
import { ServerSession } from './server-session.ts';
import { SerialQueue, type Hold } from '../timing/serial-queue.ts';

const LOCK_DEADLINE_MS = 20_000;
const TURN_DEADLINE_MS = 60_000;

/** Some five clones long: one that has to wait for something does not keep all that come after it. */
const NEWCOMER_PATIENCE_MS = 250;

const lockedError = (): OrganizationNotReadyError =>
  new OrganizationNotReadyError('Another process is working on the database.');

/** The server that holds the results databases, as its administrator. */
export class ResultsServer {
  readonly #admin: PooledDatabase;
  readonly #logins: OrganizationLogins | null;
  readonly #clones = new SerialQueue();
  readonly #newcomers = new SerialQueue(NEWCOMER_PATIENCE_MS);

  /**
   * @param admin connections to the server's `postgres` database; their number bounds the acts under way
   * @param logins null: all databases are used with the login of the service
   */
  constructor(admin: PooledDatabase, logins: OrganizationLogins | null) {
    this.#admin = admin;
    this.#logins = logins;
  }

  /** Whether requests wait for their turn or for an administrator's session; background work then yields. */
  get isBusy(): boolean {
    return this.#newcomers.waiting > 0 || this.#admin.waiting > 0;
  }

  /**
   * Runs what a new organization brings with it, one organization after another: many at once would take the processors
   * from whoever reads meanwhile.
   *
   * @throws {DatabaseConnectionError} when its turn comes too late
   */
  welcome<Result>(work: (hold: Hold) => Promise<Result>): Promise<Result> {
    const askedAt = performance.now();
    return this.#newcomers.take((hold) => {
      if (performance.now() - askedAt > TURN_DEADLINE_MS)
        throw new DatabaseConnectionError('Too many databases are being made at once.');
      return work(hold);
    });
  }

  /**
   * Runs `work` while no other process does anything under this name; waits for its turn. Its result is there before
   * the session is clean again and the name free: a first request does not wait for that.
   *
   * Who waits holds no session: a few names that are worked on for long would keep all others from being worked on.
   *
   * @throws {OrganizationNotReadyError} when somebody else is at it for too long
   */
  exclusively<Result>(
    name: string,
    work: (session: ServerSession) => Promise<Result>,
    deadlineMs = LOCK_DEADLINE_MS,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const attempt = () => this.attempt(name, async (session) => resolve(await work(session)));
      pollUntil(attempt, deadlineMs, lockedError).catch(reject);
    });
  }

  /** As `exclusively`, but returns false at once when another process is at it. */
  attempt(name: string, work: (session: ServerSession) => Promise<void>): Promise<boolean> {
    return this.#admin.session(async (connection) => {
      const session = new ServerSession(connection, this.#logins, this.#clones);
      const mine = await session.tryLock(name);
      if (mine) await work(session);
      return mine;
    });
  }
}
