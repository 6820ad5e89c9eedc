import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

/** Knows what is to be relayed when. */
interface Relay {
  readonly failures: number;
  readonly oldestMs: number;
  open(): void;
  /** Begins what is due. */
  look(): void;
  /** Relays what is left, and stops. Never rejects. */
  close(): Promise<void>;
}

/** Has the relay of the audit outboxes look, as often as entries are to be gathered. */
export class OutboxRelayLoop implements Background {
  readonly #relay: Relay;
  readonly #looks: Periodic;

  /** @param gatherMs how long entries gather before they are relayed together */
  constructor(relay: Relay, gatherMs: number) {
    this.#relay = relay;
    this.#looks = new Periodic({
      everyMs: gatherMs,
      runsAtStart: true,
      work: async () => relay.look(),
      onFailure: () => undefined,
    });
  }

  /** A look does not wait for what it begins: its failures are the relay's. */
  get report(): RunReport {
    return { ...this.#looks.report, failures: this.#relay.failures };
  }

  /** How long entries had waited at the last look. */
  get oldestMs(): number {
    return this.#relay.oldestMs;
  }

  run(): Promise<void> {
    return this.#looks.run();
  }

  start(): void {
    this.#relay.open();
    this.#looks.start();
  }

  async close(): Promise<void> {
    await this.#looks.close();
    await this.#relay.close();
  }
}
