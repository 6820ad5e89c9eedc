import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

/**
 * Asks until the answer is yes, with growing pauses. Never waits inside a statement: a session that blocks in
 * `pg_advisory_lock` holds a snapshot, and `create index concurrently` waits for that.
 *
 * @param tooLate what it rejects with when the deadline passes
 */
export const pollUntil = async (
  ask: () => Promise<boolean>,
  deadlineMs: number,
  tooLate: () => Error,
): Promise<void> => {
  const deadline = performance.now() + deadlineMs;
  for (let pauseMs = FIRST_PAUSE_MS; !(await ask()); pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    if (performance.now() > deadline) throw tooLate();
    await sleep(pauseMs);
  }
};
