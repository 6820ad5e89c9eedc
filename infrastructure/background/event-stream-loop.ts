import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { Background } from './background-runner.ts';

/** The streams of this process. */
interface Streams {
  follows(organizationId: OrganizationId): boolean;
  /** Resolves with whether there may be more already. */
  look(): Promise<boolean>;
  /** Ends them all. */
  close(): void;
}

export interface EventStreamLoopDeps {
  readonly streams: Streams;
  readonly logger: Logger;
}

/** How soon a stream hears of what another process has delivered. */
const EVERY_MS = 500;
/** Deliveries within this time share one look. */
const GATHER_MS = 50;

/** Has the event streams look for news: now and then, and soon after this process has delivered some itself. */
export class EventStreamLoop implements Background {
  readonly #streams: Streams;
  readonly #looks: Periodic;

  constructor({ streams, logger }: EventStreamLoopDeps) {
    this.#streams = streams;
    this.#looks = new Periodic({
      everyMs: EVERY_MS,
      work: async () => {
        if (await streams.look()) this.#looks.kick();
      },
      onFailure: (error) => logger.write('event_stream.read_failed', { err: error }),
    });
  }

  get report(): RunReport {
    return this.#looks.report;
  }

  run(): Promise<void> {
    return this.#looks.run();
  }

  start(): void {
    this.#looks.start();
  }

  /** Entries have arrived in the organization's trail. */
  delivered(organizationId: OrganizationId): void {
    if (this.#streams.follows(organizationId)) this.#looks.kick(GATHER_MS);
  }

  async close(): Promise<void> {
    this.#streams.close();
    await this.#looks.close();
  }
}
