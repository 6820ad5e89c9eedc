export const TABLES = ['docking_jobs', 'task_results', 'artifacts', 'input_signatures'] as const;

/** What one organization's database holds. */
export interface DirectLook {
  readonly database: string;
  /** Rows by table. */
  readonly counts: Readonly<Record<(typeof TABLES)[number], number>>;
  /** Which of the given jobs are there. */
  readonly found: readonly string[];
}

/** Reads an organization's database without the service. */
export type LookDirectly = (organizationId: string, jobIds: readonly string[]) => Promise<DirectLook>;
