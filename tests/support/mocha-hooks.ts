import { stopSharedTestServer } from './postgres-server.ts';

/**
 * Runs once after all tests, passed or not. Nothing is set up in advance: the first test that asks for the server
 * starts it, so unit tests alone start none.
 */
export const mochaGlobalTeardown = async (): Promise<void> => {
  await stopSharedTestServer();
};
