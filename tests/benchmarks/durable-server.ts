import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_DATA } from '../../infrastructure/config/local-start.ts';
import { startEmbeddedPostgres } from '../../infrastructure/embedded-postgres/embedded-postgres.ts';

/** Runs `work` on a fresh server that is set up as that of `npm start`, on the same disk: every commit is flushed. */
export const withDurableServer = async (work: (url: string) => Promise<void>): Promise<void> => {
  const dataDirectory = join(LOCAL_DATA, `bench-${process.pid}`);
  const server = await startEmbeddedPostgres({ dataDirectory, settings: { max_connections: '300' } });
  try {
    await work(server.url);
  } finally {
    await server.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  }
};
