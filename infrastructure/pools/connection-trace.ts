import { errorType, type Span, type SpanAttributes } from '../../application/ports/runtime/tracing.ts';
import type { PgConnection, Query } from '../postgres/pg-connection.ts';
import type { ConnectionBudget } from './connection-budget.ts';

/** A lease that is recorded. */
export interface LeaseTrace {
  /** From the lease to its release. */
  readonly span: Span;
  /** Where its statements run. */
  readonly target: SpanAttributes;
  readonly budget: Pick<ConnectionBudget, 'limit' | 'taken'>;
}

/** A request that waited for less got a connection at once. */
const NO_WAIT_MS = 1;

/** The recorded use of one connection, from the wait for it until it is given back. Decision 0055. */
export class ConnectionTrace {
  readonly #lease: LeaseTrace;
  readonly #span: Span;
  readonly #startedAtMs = performance.now();

  constructor(lease: LeaseTrace) {
    this.#lease = lease;
    this.#span = lease.span.begin('results.acquire');
  }

  /** The wait is over. */
  got(): void {
    const waitedMs = performance.now() - this.#startedAtMs;
    this.#span.set({ 'mad.waited_ms': Math.round(waitedMs * 1000) / 1000 });
    if (waitedMs < NO_WAIT_MS) return;
    const { limit, taken } = this.#lease.budget;
    this.#span.set({ 'mad.budget.taken': taken, 'mad.budget.limit': limit });
  }

  /** @param queries which `work` sends together */
  async run<Result>(
    { backendPid }: PgConnection,
    queries: readonly Query<unknown>[],
    work: () => Promise<Result>,
  ): Promise<Result> {
    const spans = queries.map(({ name }) =>
      this.#span.begin(name === undefined ? 'db.query' : `db.query ${name}`, this.#lease.target),
    );
    // Lines of the server's log begin with it.
    if (backendPid !== null) for (const span of spans) span.set({ 'mad.backend_pid': backendPid });
    try {
      return await work();
    } catch (error) {
      for (const span of spans) span.fail(errorType(error));
      throw error;
    } finally {
      for (const span of spans) span.end();
    }
  }

  /** There is no connection. */
  refused(error: unknown): void {
    this.#span.fail(errorType(error));
    this.#span.end();
  }

  end(): void {
    this.#span.end();
  }
}
