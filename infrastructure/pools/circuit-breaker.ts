export interface BreakerOptions {
  /** Failures in a row that open the circuit. */
  readonly threshold: number;
  /** The first back-off; each further failure doubles it, up to `maxDelayMs`. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Stops attempts that would fail anyway. Decision 0007. It has no timers: the clock moves it from `open` to `half-open`.
 *
 * - `closed`: every attempt may begin. `threshold` failures in a row open the circuit.
 * - `open`: no attempt may begin. At the end of the back-off the circuit is half-open.
 * - `half-open`: a single attempt may begin. Its success closes the circuit, its failure opens it for twice as long.
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

  /** Milliseconds until the back-off is over; 0 when there is none. */
  get retryInMs(): number {
    return this.#failures < this.#options.threshold ? 0 : Math.max(0, this.#openUntil - performance.now());
  }

  /** An attempt begins; only when `allows`. Its outcome has to be told. */
  attempt(): void {
    this.#probing = this.#failures >= this.#options.threshold;
  }

  /** The attempt ended, and proved nothing. */
  abandoned(): void {
    this.#probing = false;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#delayMs = 0;
    this.#probing = false;
  }

  failed(): void {
    // The attempt began before the circuit opened: its failure says nothing new.
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
