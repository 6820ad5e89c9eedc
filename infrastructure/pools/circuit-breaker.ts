export interface BreakerOptions {
  /** Failures in a row that open the circuit. */
  readonly threshold: number;
  /** The first back-off; each further failure doubles it, up to `maxDelayMs`. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Stops attempts that would fail anyway. Open after `threshold` failures in a row; when the back-off is over, one attempt
 * is let through (half-open), and its outcome closes the circuit or opens it for longer. No timers.
 */
export class CircuitBreaker {
  readonly #options: BreakerOptions;
  #failures = 0;
  #delayMs = 0;
  /** In `performance.now()`. */
  #openUntil = 0;
  #probing = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    if (this.#failures < this.#options.threshold) return 'closed';
    return this.#probing || this.retryInMs === 0 ? 'half-open' : 'open';
  }

  /** Whether the last attempt failed. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Whether an attempt may begin now. */
  get allows(): boolean {
    return this.#failures < this.#options.threshold || (!this.#probing && this.retryInMs === 0);
  }

  /** Milliseconds until the back-off is over; 0 when it is, or there is none. */
  get retryInMs(): number {
    return this.#failures < this.#options.threshold ? 0 : Math.max(0, this.#openUntil - performance.now());
  }

  /** Says that an attempt begins; only when `allows`. Its outcome has to be told. */
  attempt(): void {
    this.#probing = this.#failures >= this.#options.threshold;
  }

  /** The attempt ended without telling anything. */
  abandoned(): void {
    this.#probing = false;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#delayMs = 0;
    this.#probing = false;
  }

  failed(): void {
    // An attempt from before the circuit opened: its failure is no news.
    if (this.state === 'open') return;
    this.#failures += 1;
    this.#probing = false;
    if (this.#failures < this.#options.threshold) return;
    const { minDelayMs, maxDelayMs } = this.#options;
    this.#delayMs = Math.min(maxDelayMs, Math.max(minDelayMs, this.#delayMs * 2));
    // Spread, so that processes that failed together do not come back together.
    this.#openUntil = performance.now() + this.#delayMs * (0.75 + Math.random() / 4);
  }
}
