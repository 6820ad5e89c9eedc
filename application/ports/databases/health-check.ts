import type { ServerProblem } from '../../../domain/databases/server.ts';

/** What answers now, by name. Dormant organizations do not appear. */
export interface DatabaseHealth {
  readonly metadata: boolean;
  /** By server id. */
  readonly servers: Readonly<Record<string, boolean>>;
  /** By server id: what is wrong with servers that answer. Servers with nothing wrong are left out. */
  readonly serverProblems: Readonly<Record<string, readonly ServerProblem[]>>;
  /** By organization id: one for each live pool. */
  readonly organizations: Readonly<Record<string, boolean>>;
}

export interface HealthCheck {
  /** Never opens a pool and never keeps one alive. */
  check(): Promise<DatabaseHealth>;
}
