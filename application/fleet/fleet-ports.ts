import type { DatabaseServers } from '../ports/databases/database-server.ts';
import type { DatabaseMigrator } from '../ports/fleet/database-migrator.ts';
import type { FleetLedger } from '../ports/fleet/fleet-ledger.ts';

export interface RunnerSettings {
  /** How long a runner that gives no sign of life keeps its claims. */
  readonly leaseMs: number;
  /** Attempts on a database that is in use before it counts as failed. */
  readonly maxAttempts: number;
  /** First pause before a deferred database is tried again; doubled each time. */
  readonly retryDelayMs: number;
}

export const RUNNER_DEFAULTS: RunnerSettings = { leaseMs: 15_000, maxAttempts: 10, retryDelayMs: 500 };

/** What the use cases on the schema versions of all organizations reach the outside through. */
export interface FleetPorts {
  readonly ledger: FleetLedger;
  readonly migrator: DatabaseMigrator;
  readonly servers: Pick<DatabaseServers, 'list'>;
  readonly settings: RunnerSettings;
}
