import { CircuitBreaker } from './circuit-breaker.ts';
import type { SlotCounts } from './slot-counts.ts';

/** After a refusal, one connect at a time tries whether the server has room again. */
const RETRY = { threshold: 1, minDelayMs: 100, maxDelayMs: 2000 };

/**
 * How many connections the server lets this process have. Unknown until the server refuses one because it is full: what
 * the process holds then is the ceiling, until a connect above it succeeds. Decision 0007.
 */
export class ServerCapacity {
  readonly #counts: SlotCounts;
  readonly #onRetry: () => void;
  readonly #breaker = new CircuitBreaker(RETRY);
  #ceiling = Infinity;
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param counts all slots of this process on the server; counted before this class hears of a change
   * @param onRetry called when the server may be tried again after a refusal
   */
  constructor(counts: SlotCounts, onRetry: () => void) {
    this.#counts = counts;
    this.#onRetry = onRetry;
  }

  /** Whether a connect may begin now. */
  get hasRoom(): boolean {
    const { held, connecting } = this.#counts;
    return held < this.#ceiling || (connecting === 0 && this.#breaker.allows);
  }

  /** A connect begins. */
  attempt(): void {
    if (this.#counts.held > this.#ceiling) this.#breaker.attempt();
  }

  succeeded(): void {
    if (this.#established > this.#ceiling) {
      this.#ceiling = this.#established;
      this.#breaker.succeeded();
    } else {
      // The connect began above the ceiling, and another connection closed meanwhile: nothing is learned.
      this.#breaker.abandoned();
    }
  }

  /** The server refused a connect because it is full. */
  refused(): void {
    this.#ceiling = this.#established;
    this.#breaker.failed();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#onRetry();
      },
      Math.ceil(this.#breaker.retryInMs) + 1,
    ).unref();
  }

  /** A connect failed for another reason. */
  abandoned(): void {
    this.#breaker.abandoned();
  }

  get #established(): number {
    return this.#counts.held - this.#counts.connecting;
  }
}
