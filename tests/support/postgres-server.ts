import { rm } from 'node:fs/promises';
import { startEmbeddedPostgres } from '../../infrastructure/local/embedded-postgres/embedded-postgres.ts';
import { dockerAnswers } from './docker.ts';
import { createTestDirectory, removeAbandonedTestDirectories } from './test-directories.ts';

/** A PostgreSQL 18 server the tests may create databases on. */
export interface TestServer {
  /** Address of a superuser's (or another database creator's) connection. */
  readonly url: string;
  readonly kind: 'external' | 'docker' | 'embedded';
  /** Stops what was started for the tests; an external server stays. Safe to call twice. */
  stop(): Promise<void>;
}

const MAX_CONNECTIONS = '300';
const IMAGE = 'postgres:18-alpine';
/** A test cluster is thrown away, so it need not survive a crash of the machine. */
const VOLATILE_SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  max_connections: MAX_CONNECTIONS,
};

const startDocker = async (): Promise<TestServer> => {
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql'); // takes a second: only when used
  const settings = Object.entries(VOLATILE_SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const container = await new PostgreSqlContainer(IMAGE).withCommand(['postgres', ...settings]).start();
  let stopped: Promise<unknown> | undefined;
  return {
    url: container.getConnectionUri(),
    kind: 'docker',
    stop: async () => {
      stopped ??= container.stop();
      await stopped;
    },
  };
};

/** Nothing here lives long enough to be vacuumed; a vacuum's login in each of many databases would cost others theirs. */
const EMBEDDED_SETTINGS = { max_connections: MAX_CONNECTIONS, autovacuum: 'off', io_method: 'sync' };

const startEmbedded = async (): Promise<TestServer> => {
  await removeAbandonedTestDirectories();
  const dataDirectory = await createTestDirectory();
  const server = await startEmbeddedPostgres({
    dataDirectory,
    durable: false,
    settings: EMBEDDED_SETTINGS,
  });
  return {
    url: server.url,
    kind: 'embedded',
    stop: async () => {
      await server.stop();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
};

/**
 * Starts a server for tests: the one TEST_DATABASE_URL names, else a container when a Docker daemon answers, else an
 * embedded one. A daemon that cannot run the image (no network to fetch it) does not fail the tests.
 */
export const startTestServer = async (): Promise<TestServer> => {
  const external = process.env['TEST_DATABASE_URL'];
  if (external) return { url: external, kind: 'external', stop: () => Promise.resolve() };
  if (await dockerAnswers(process.env['DOCKER_HOST'])) {
    try {
      return await startDocker();
    } catch (error) {
      process.stderr.write(
        `Docker answers but cannot run ${IMAGE} (${String(error)}): embedded server instead\n`,
      );
    }
  }
  return startEmbedded();
};

/** Mocha loads some files with `require` and others with `import`: this module can be there twice, the server once. */
declare global {
  var madTestServer: Promise<TestServer> | undefined;
}

/**
 * The server all tests of this process share, started by the first who asks. Give a hook that asks a timeout of a
 * minute, for the first start may fetch an image.
 */
export const testServer = (): Promise<TestServer> => {
  globalThis.madTestServer ??= startTestServer();
  return globalThis.madTestServer;
};

/** Stops the shared server if any test asked for it. */
export const stopSharedTestServer = async (): Promise<void> => {
  const server = await globalThis.madTestServer?.catch(() => undefined);
  globalThis.madTestServer = undefined;
  await server?.stop();
};
