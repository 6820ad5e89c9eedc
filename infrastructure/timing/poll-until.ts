import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

/**
 * Calls `ask` until it returns true, with pauses that grow from 5 to 100 ms. Use it instead of `pg_advisory_lock`: a
 * session that blocks there holds a snapshot, for which `create index concurrently` waits.
 *
 * @param timeoutError makes the error to reject with when the deadline has passed
 */
export const pollUntil = async (
  ask: () => Promise<boolean>,
  deadlineMs: number,
  timeoutError: () => Error,
): Promise<void> => {
  const deadline = performance.now() + deadlineMs;
  for (let pauseMs = FIRST_PAUSE_MS; !(await ask()); pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    if (performance.now() > deadline) throw timeoutError();
    await sleep(pauseMs);
  }
};
