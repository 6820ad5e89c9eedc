/** What answers now, by name. Dormant organizations do not appear. */
export interface DatabaseHealth {
  readonly metadata: boolean;
  /** By server id. */
  readonly servers: Readonly<Record<string, boolean>>;
  /** By organization id: one for each live pool. */
  readonly organizations: Readonly<Record<string, boolean>>;
}

export interface HealthCheck {
  /** Never opens a pool and never keeps one alive. */
  check(): Promise<DatabaseHealth>;
}
