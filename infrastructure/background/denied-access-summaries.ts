import { Periodic } from '../timing/periodic.ts';

const INTERVAL_MS = 15_000;

interface DeniedAccess {
  /** Writes the sums of refusals down. Never rejects. */
  summarizeDeniedAccess(which: { readonly all: boolean }): Promise<void>;
}

/** Has the refusals of callers who kept trying written down, also when they have stopped, or the process does. */
export class DeniedAccessSummaries {
  readonly #deniedAccess: DeniedAccess;
  readonly #flushes = new Periodic(INTERVAL_MS, () =>
    this.#deniedAccess.summarizeDeniedAccess({ all: false }),
  );

  constructor(deniedAccess: DeniedAccess) {
    this.#deniedAccess = deniedAccess;
  }

  start(): void {
    this.#flushes.start();
  }

  async close(): Promise<void> {
    await this.#flushes.close();
    await this.#deniedAccess.summarizeDeniedAccess({ all: true });
  }
}
