import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import type { SpareLedger } from '../../application/ports/databases/spare-ledger.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { DatabaseState } from '../../domain/databases/results-database.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

export interface FleetSnapshotDeps {
  readonly ledger: Pick<DatabaseLedger, 'countByState'>;
  readonly spares: Pick<SpareLedger, 'countReady'>;
  readonly logger: Logger;
}

/** Databases of each server, by their state. */
type DatabaseCounts = ReadonlyMap<ServerId, Readonly<Record<DatabaseState, number>>>;

const INTERVAL_MS = 15_000;

/** Numbers of all databases of the deployment, read now and then, so that a scrape of the metrics reads nothing. */
export class FleetSnapshot implements Background {
  readonly #deps: FleetSnapshotDeps;
  readonly #refreshes: Periodic;
  #databases: DatabaseCounts = new Map();
  #sparesReady: ReadonlyMap<ServerId, number> = new Map();

  constructor(deps: FleetSnapshotDeps) {
    this.#deps = deps;
    this.#refreshes = new Periodic({
      everyMs: INTERVAL_MS,
      runsAtStart: true,
      work: () => this.#refresh(),
      onFailure: (error) => deps.logger.write('fleet.count_failed', { err: error }),
    });
  }

  get databases(): DatabaseCounts {
    return this.#databases;
  }

  get sparesReady(): ReadonlyMap<ServerId, number> {
    return this.#sparesReady;
  }

  get report(): RunReport {
    return this.#refreshes.report;
  }

  run(): Promise<void> {
    return this.#refreshes.run();
  }

  start(): void {
    this.#refreshes.start();
  }

  close(): Promise<void> {
    return this.#refreshes.close();
  }

  async #refresh(): Promise<void> {
    const { ledger, spares } = this.#deps;
    const [databases, sparesReady] = await Promise.all([ledger.countByState(), spares.countReady()]);
    this.#databases = databases;
    this.#sparesReady = sparesReady;
  }
}
