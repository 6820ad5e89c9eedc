import { ensureDatabase } from '../../infrastructure/postgres/ensure-database.ts';
import type { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { metadataMigrations } from '../../infrastructure/migrations/migration-source.ts';
import { Migrator } from '../../infrastructure/migrations/migrator.ts';
import { testServer } from './postgres-server.ts';

const TEMPLATE = 'mad_test_metadata';

const migrated = async (url: DatabaseUrl): Promise<void> => {
  await ensureDatabase(url);
  await new Migrator(metadataMigrations).latest(url);
};

/** On a session of its own, or one that is kept. */
export type Query = <Row>(
  url: DatabaseUrl,
  text: string,
  values?: readonly unknown[],
) => Promise<readonly Row[]>;

let template: Promise<void> | undefined;

/**
 * Makes a migrated metadata database. On the shared server it is a copy of a template's files, which takes a fifth of the
 * time, unless that is somebody else's: there no template may be left behind.
 */
export const createMetadataDatabase = async (
  url: DatabaseUrl,
  query: Query,
  { onSharedServer }: { readonly onSharedServer: boolean },
): Promise<void> => {
  if (!onSharedServer || (await testServer()).kind === 'external') return migrated(url);
  template ??= migrated(url.withDatabase(TEMPLATE));
  await template;
  const server = url.withDatabase('postgres');
  await query(server, `create database "${url.database}" template ${TEMPLATE} strategy file_copy`);
  // What a clone does not take along.
  await query(server, `revoke all on database "${url.database}" from public`);
  // Each deployment has an id of its own.
  await query(url, 'update deployment set deployment_id = default');
  return undefined;
};
