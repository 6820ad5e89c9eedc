import { OrganizationNotReadyError } from '../../domain/databases/errors.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { PooledDatabase } from '../pools/pooled-database.ts';
import { pollUntil } from '../timing/poll-until.ts';
import { SerialQueue } from '../timing/serial-queue.ts';
import { AdminSession, type AdminSessionDeps } from './admin-session.ts';

const LOCK_DEADLINE_MS = 20_000;
const TURN_DEADLINE_MS = 60_000;

/** Some five clones long: work that has to wait for something does not keep all that comes after it. */
const NEWCOMER_PATIENCE_MS = 250;

const lockedError = (): OrganizationNotReadyError =>
  new OrganizationNotReadyError('Another process is working on the database.');

/** Administrators' sessions on one server. See the port `DatabaseServer` for what its methods promise. */
export class ServerAdmin {
  readonly #sessions: PooledDatabase;
  readonly #of: Omit<AdminSessionDeps, 'connection' | 'clones'>;
  readonly #clones = new SerialQueue();
  readonly #newcomers = new SerialQueue(NEWCOMER_PATIENCE_MS);

  /**
   * @param sessions connections to the server's database for administration; their number bounds the acts under way
   */
  constructor(sessions: PooledDatabase, of: Omit<AdminSessionDeps, 'connection' | 'clones'>) {
    this.#sessions = sessions;
    this.#of = of;
  }

  get isBusy(): boolean {
    return this.#newcomers.waiting > 0 || this.#sessions.waiting > 0;
  }

  /** @throws {DatabaseConnectionError} when its turn comes after more than a minute */
  welcome<Result>(work: () => Promise<Result>): Promise<Result> {
    const askedAt = performance.now();
    return this.#newcomers.run(() => {
      if (performance.now() - askedAt > TURN_DEADLINE_MS)
        throw new DatabaseConnectionError('Too many databases are being made at once.');
      return work();
    });
  }

  /** @throws {OrganizationNotReadyError} */
  exclusively<Result>(
    name: string,
    work: (session: AdminSession) => Promise<Result>,
    deadlineMs = LOCK_DEADLINE_MS,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const attempt = () => this.attempt(name, async (session) => resolve(await work(session)));
      pollUntil(attempt, deadlineMs, lockedError).catch(reject);
    });
  }

  /** Returns false at once when another process works under the name. */
  attempt(name: string, work: (session: AdminSession) => Promise<void>): Promise<boolean> {
    return this.#sessions.session(async (connection) => {
      const session = new AdminSession({ ...this.#of, connection, clones: this.#clones });
      if (!(await session.lock(name))) return false;
      await work(session);
      return true;
    });
  }
}
