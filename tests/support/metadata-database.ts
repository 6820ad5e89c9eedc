import { ensureDatabase } from '../../infrastructure/postgres/ensure-database.ts';
import type { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { metadataMigrations } from '../../infrastructure/migrations/migration-source.ts';
import { Migrator } from '../../infrastructure/migrations/migrator.ts';
import { testServer } from './postgres-server.ts';
import { openConnection } from './test-pool.ts';

const TEMPLATE = 'mad_test_metadata';

const migrated = async (url: DatabaseUrl): Promise<void> => {
  await ensureDatabase(url);
  await new Migrator(metadataMigrations).latest(url);
};

const execute = async (url: DatabaseUrl, ...statements: readonly string[]): Promise<void> => {
  const connection = await openConnection(url.toString());
  try {
    for (const statement of statements) await connection.execute(statement);
  } finally {
    await connection.close();
  }
};

let template: Promise<void> | undefined;

/**
 * Makes a migrated metadata database. On the shared server it is a clone, which takes a third of the time, unless that is
 * somebody else's: there no template may be left behind.
 */
export const createMetadataDatabase = async (
  url: DatabaseUrl,
  { onSharedServer }: { readonly onSharedServer: boolean },
): Promise<void> => {
  if (!onSharedServer || (await testServer()).kind === 'external') return migrated(url);
  template ??= migrated(url.withDatabase(TEMPLATE));
  await template;
  await execute(
    url.withDatabase('postgres'),
    `create database "${url.database}" template ${TEMPLATE}`,
    // What a clone does not take along.
    `revoke all on database "${url.database}" from public`,
  );
  // Each deployment has an id of its own.
  await execute(url, 'update deployment set deployment_id = default');
  return undefined;
};
