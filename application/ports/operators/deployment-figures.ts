import type { Standing, UnfinishedRun } from './operators-ledger.ts';

export interface Measured {
  /** Which the release makes. */
  readonly schemaVersion: number;
  /** Those that are told apart. */
  readonly engines: readonly string[];
  /** As of `AuditBacklog.reclaimFromDead`. */
  readonly silentForMs: number;
}

/** Numbers of the whole deployment, for metrics. */
export interface DeploymentFigures {
  /** Active organizations with an older schema than the release makes. */
  readonly schemaBehind: number;
  /** Of the unfinished run; null: there is none. */
  readonly run: Pick<UnfinishedRun, 'state' | 'counts'> | null;
  /** The last comparison of the servers with the ledger; null before the first. */
  readonly pass: Pick<NonNullable<Standing['pass']>, 'dryRun' | 'summary'> | null;
  /** For how long the entries of dead processes have waited for another one to relay them, in seconds. */
  readonly orphanedEntriesSeconds: number;
  /** About how many jobs wait, by their engine; those of other engines under `other`. */
  readonly jobsWaiting: ReadonlyMap<string, number>;
}

/** Reads them from tables that are kept anyway, in one statement. No organization's database is asked. */
export interface DeploymentGauge {
  measure(measured: Measured): Promise<DeploymentFigures>;
}
