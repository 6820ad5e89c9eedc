import type { CircuitBreaker } from './circuit-breaker.ts';
import { isServerAnswer, isServerFailure } from '../postgres/postgres-errors.ts';

/** The two circuits that every connect of a pool passes: its database's, and that of the server, shared by all pools there. */
export class PoolCircuits {
  readonly own: CircuitBreaker;
  readonly server: CircuitBreaker;

  constructor(own: CircuitBreaker, server: CircuitBreaker) {
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

  /** One that is not closed: it lets nothing through, or a single try. */
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

  /** The server lives and has no place: that says nothing of the database. */
  serverFull(): void {
    this.own.abandoned();
    this.server.succeeded();
  }

  failed(error: unknown): void {
    this.own.failed();
    if (isServerFailure(error)) this.server.failed();
    else if (isServerAnswer(error)) this.server.succeeded();
    else this.server.abandoned();
  }
}
