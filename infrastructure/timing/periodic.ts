/** Background work that is done again and again, one time after the other. A process that is done does not wait for it. */
export class Periodic {
  readonly #everyMs: number;
  readonly #work: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;

  /** @param work must not reject: nobody would catch it */
  constructor(everyMs: number, work: () => Promise<void>) {
    this.#everyMs = everyMs;
    this.#work = work;
  }

  get isStarted(): boolean {
    return this.#timer !== undefined;
  }

  /** @param now the first time at once, rather than after the first pause. Safe to call twice. */
  start({ now = false } = {}): void {
    if (this.isStarted) return;
    this.#timer = setInterval(() => this.#tick(), this.#everyMs).unref();
    if (now) this.#tick();
  }

  /** Resolves when what is under way is done. Safe to call twice, and without a start. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  /** Left out while the time before is still under way. */
  #tick(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = null;
    });
  }
}
