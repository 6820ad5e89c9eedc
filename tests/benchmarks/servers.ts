import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_DATA } from '../../infrastructure/local/local-start.ts';
import { startEmbeddedPostgres } from '../../infrastructure/local/embedded-postgres/embedded-postgres.ts';
import { createTestDirectory } from '../support/test-directories.ts';

/**
 * Runs `work` on a fresh PostgreSQL server.
 *
 * @param durable true: as that of `npm start`, on the same disk, every commit flushed. false: as that of the tests,
 *   for measures of our own CPU alone
 */
export const withServer = async (durable: boolean, work: (url: string) => Promise<void>): Promise<void> => {
  const dataDirectory = durable ? join(LOCAL_DATA, `bench-${process.pid}`) : await createTestDirectory();
  const settings = { max_connections: durable ? '300' : '1500' };
  const server = await startEmbeddedPostgres({ dataDirectory, durable, settings });
  try {
    await work(server.url);
  } finally {
    await server.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  }
};
