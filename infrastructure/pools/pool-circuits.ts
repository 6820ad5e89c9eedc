import { CircuitBreaker } from './circuit-breaker.ts';
import { isServerAnswer, isServerFailure, isServerFull } from '../postgres/postgres-errors.ts';

/** One failed connect is an accident, and the next request finds out at once. */
const BREAKER = { threshold: 3, minDelayMs: 250, maxDelayMs: 10_000 };

/**
 * The two circuits that every connect of a pool passes: its database's own, and the server's, which all pools of the
 * server share. Decision 0007.
 */
export class PoolCircuits {
  readonly own: CircuitBreaker;
  readonly server: CircuitBreaker;

  /** @param own of an earlier pool of the database; a new one by default */
  constructor({
    server,
    own = new CircuitBreaker(BREAKER),
  }: {
    server: CircuitBreaker;
    own?: CircuitBreaker | undefined;
  }) {
    this.own = own;
    this.server = server;
  }

  /** Whether a connect may begin now. */
  get allow(): boolean {
    return this.own.allows && this.server.allows;
  }

  get areClosed(): boolean {
    return this.own.state === 'closed' && this.server.state === 'closed';
  }

  /** One that is not closed: it lets no connect through, or a single one. */
  get tripped(): CircuitBreaker | undefined {
    return [this.own, this.server].find(({ state }) => state !== 'closed');
  }

  /** A connect begins; only when they `allow` it. Its outcome has to be told. */
  attempt(): void {
    this.own.attempt();
    this.server.attempt();
  }

  succeeded(): void {
    this.own.succeeded();
    this.server.succeeded();
  }

  /** Returns whether requests may go on waiting for a connect, rather than be refused for this error. */
  failed(error: unknown): boolean {
    if (isServerFull(error)) {
      // The server lives, says nothing of the database, and connections of this process will come free there.
      this.own.abandoned();
      this.server.succeeded();
      return true;
    }
    const isFirst = !this.own.isFailing;
    const isAnswer = isServerAnswer(error);
    this.own.failed();
    if (isServerFailure(error)) this.server.failed();
    else if (isAnswer) this.server.succeeded();
    else this.server.abandoned();
    // A connect that broke off once is tried again, unless it was the server's last chance.
    return isFirst && !isAnswer && this.server.state !== 'open';
  }
}
