import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { UsageBatches, UsageLedger } from '../../application/ports/usage/usage-ledger.ts';
import { reasonsOf } from '../../domain/reason-of.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

export interface UsageWriterDeps {
  readonly instanceId: string;
  readonly counter: UsageBatches;
  readonly ledger: Pick<UsageLedger, 'add'>;
  readonly logger: Logger;
}

const EVERY_MS = 60_000;

/** Writes what this process has counted, once a minute and at its end. Decision 0058. */
export class UsageWriter implements Background {
  readonly #deps: UsageWriterDeps;
  readonly #writes: Periodic;
  #closing: Promise<void> | null = null;

  constructor(deps: UsageWriterDeps) {
    this.#deps = deps;
    this.#writes = new Periodic({
      everyMs: EVERY_MS,
      work: () => this.#write(),
      onFailure: (error) => deps.logger.write('usage.kept', { err: error }),
    });
  }

  get report(): RunReport {
    return this.#writes.report;
  }

  start(): void {
    this.#writes.start();
  }

  /** Never rejects. */
  run(): Promise<void> {
    return this.#writes.run();
  }

  /** The requests have ended: what they have counted is written. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writes.close();
    // Without the error: the summary of an outage would take the line in, and the process ends before the next summary.
    await this.#write().catch((error: unknown) =>
      this.#deps.logger.write('usage.lost', { reason: reasonsOf(error) }),
    );
  }

  /** What could not be written before, and what was counted since. Under load something is always counted meanwhile: it waits. */
  async #write(): Promise<void> {
    await this.#catchUp();
    await this.#add();
    await this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    while (this.#deps.counter.isBehind) await this.#add();
  }

  async #add(): Promise<void> {
    const { counter, ledger, instanceId } = this.#deps;
    const batch = counter.batch();
    if (batch === null) return;
    await ledger.add(instanceId, batch);
    counter.written();
  }
}
