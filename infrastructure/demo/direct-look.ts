import { parseOrganizationId } from '../../domain/organizations/organization-id.ts';
import { PgConnection } from '../postgres/pg-connection.ts';
import type { ResultsUrlTemplate } from '../postgres/results-url-template.ts';

/** What a look into one organization's database finds, past the service. */
export interface DirectLook {
  readonly database: string;
  /** Rows per table. */
  readonly counts: Readonly<Record<(typeof TABLES)[number], number>>;
  /** Which of the jobs asked for are there. */
  readonly found: readonly string[];
}

export const TABLES = ['docking_jobs', 'task_results', 'artifacts', 'input_signatures'] as const;

const CONNECT_TIMEOUT_MS = 5000;

/** Connects as the owner of the databases. */
export const lookInto = async (
  urls: ResultsUrlTemplate,
  organizationId: string,
  jobIds: readonly string[],
): Promise<DirectLook> => {
  const { names } = urls;
  const url = urls.urlForDatabase(
    names.forOrganization(parseOrganizationId(organizationId, names.maxOrganizationIdLength)),
  );
  const connection = await PgConnection.open({
    url,
    applicationName: 'mad demo',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  });
  try {
    const [row] = await connection.query<DirectLook>({
      text: `select current_database() as database,
               json_build_object(${TABLES.map((table) => `'${table}', (select count(*) from ${table})`).join(', ')}) as counts,
               array(select job_id::text from docking_jobs where job_id = any ($1::uuid[])) as found`,
      values: [jobIds],
    });
    if (row === undefined) throw new Error('a select without a table gives one row');
    return row;
  } finally {
    await connection.close();
  }
};
