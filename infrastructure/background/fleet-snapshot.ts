import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import type { DatabaseState } from '../../domain/databases/results-database.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { SpareLedger } from '../../application/ports/databases/spare-ledger.ts';
import { Periodic } from '../timing/periodic.ts';

const INTERVAL_MS = 15_000;

/** Numbers of all databases of the deployment, looked up now and then, so that a scrape of the metrics asks nobody. */
export class FleetSnapshot {
  readonly #ledger: DatabaseLedger;
  readonly #spares: SpareLedger;
  readonly #logger: Logger;
  readonly #refreshes = new Periodic(INTERVAL_MS, () => this.#refresh());
  #databases: Readonly<Partial<Record<DatabaseState, number>>> = {};
  #sparesReady = 0;

  constructor(ledger: DatabaseLedger, spares: SpareLedger, logger: Logger) {
    this.#ledger = ledger;
    this.#spares = spares;
    this.#logger = logger;
  }

  get databases(): Readonly<Partial<Record<DatabaseState, number>>> {
    return this.#databases;
  }

  get sparesReady(): number {
    return this.#sparesReady;
  }

  start(): void {
    this.#refreshes.start({ now: true });
  }

  close(): Promise<void> {
    return this.#refreshes.close();
  }

  #refresh(): Promise<void> {
    return Promise.all([this.#ledger.countByState(), this.#spares.countReady()]).then(
      ([databases, sparesReady]) => {
        this.#databases = databases;
        this.#sparesReady = sparesReady;
      },
      (error: unknown) => this.#logger.debug({ err: error }, 'the numbers of the fleet could not be read'),
    );
  }
}
