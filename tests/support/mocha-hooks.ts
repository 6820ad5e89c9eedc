import { until } from './gate.ts';
import { stopSharedTestServer } from './postgres-server.ts';
import { removeAbandonedTestDirectories } from './test-directories.ts';

/** A server has ten seconds each for two ways to stop. */
const STOP_DEADLINE_MS = 30_000;

/**
 * Runs once after all tests, passed or not, in the process that was started. Nothing is set up in advance: the first
 * test of a process that asks for the server starts it, so unit tests alone start none. Mocha ends its worker processes
 * without a word to them; their servers end with them, and what those leave is removed here.
 */
export const mochaGlobalTeardown = async (): Promise<void> => {
  await stopSharedTestServer();
  await until(
    'the servers of ended test processes are gone',
    async () => {
      return (await removeAbandonedTestDirectories()) === 0;
    },
    STOP_DEADLINE_MS,
  );
};
