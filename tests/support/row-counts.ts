import type { Deployment } from './deployment.ts';

/** How many rows each table of a database has, and when the newest was written: equal before and after means untouched. */
export const rowCounts = async (
  deployment: Deployment,
  databaseName: string,
): Promise<Readonly<Record<string, string>>> => {
  const rows = await deployment.administer<{ table_name: string; digest: string }>(
    `select table_name, (xpath('/row/digest/text()', query_to_xml(format(
       'select count(*) || '':'' || coalesce(md5(string_agg(t::text, '','' order by t::text)), '''') as digest from %I t',
       table_name), false, true, '')))[1]::text as digest
     from information_schema.tables where table_schema = 'public'`,
    [],
    databaseName,
  );
  return Object.fromEntries(rows.map(({ table_name, digest }) => [table_name, digest]));
};
