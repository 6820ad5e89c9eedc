import { closeSharedAdministrator } from './administrator.ts';
import { removeCompiledProjects } from './compiled-project.ts';
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
  await removeCompiledProjects();
  await until(
    'the servers of ended test processes are gone',
    async () => {
      return (await removeAbandonedTestDirectories()) === 0;
    },
    STOP_DEADLINE_MS,
  );
};

/** What a file may not leave open. The pipes are those to the shared server and to the process that gives out files. */
const WORK = /^(?:Timeout|Immediate|TCP|UDP|TTY|FSEvent|StatWatcher|Worker|MessagePort)/;

const openWork = (): readonly string[] => process.getActiveResourcesInfo().filter((type) => WORK.test(type));

/** What is open beyond what was. */
const added = (before: readonly string[]): readonly string[] => {
  const known = [...before];
  return openWork().filter((type) => {
    const at = known.indexOf(type);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
};

let before: readonly string[] = [];

/**
 * Around each file in a worker process, around all in one process: mocha ends its workers whatever is still open there,
 * so this says what would have kept them from ending by themselves.
 */
export const mochaHooks = {
  async beforeAll(): Promise<void> {
    // Mocha has a timer while an asynchronous hook runs: one has to be known when `afterAll` looks again.
    await Promise.resolve();
    before = openWork();
  },
  async afterAll(this: Mocha.Context): Promise<void> {
    await closeSharedAdministrator();
    const files = new Set(this.test?.parent?.suites.map(({ file }) => file));
    await until(
      () => `nothing is left open by ${[...files].join(', ')}: ${added(before).join(', ')}`,
      () => added(before).length === 0,
    );
  },
};
