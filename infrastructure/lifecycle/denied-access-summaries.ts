const INTERVAL_MS = 15_000;

/** What counts refusals and writes the sums down when it is told to. Never rejects. */
interface DeniedAccess {
  flush(what: { readonly all: boolean }): Promise<void>;
}

/** Has the refusals of callers who kept trying written down, also when they have stopped, or the process does. */
export class DeniedAccessSummaries {
  readonly #deniedAccess: DeniedAccess;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(deniedAccess: DeniedAccess) {
    this.#deniedAccess = deniedAccess;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#writing = this.#writing.then(() => this.#deniedAccess.flush({ all: false }));
    }, INTERVAL_MS).unref();
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#writing;
    await this.#deniedAccess.flush({ all: true });
  }
}
