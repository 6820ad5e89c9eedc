/** A timer that fires this late was held up by the event loop. */
const STANDSTILL_MS = 20;
/** The most that a wait is prolonged, in deadlines: a peer that is away is noticed while the loop stands still again and again. */
const MAX_PROLONGATION = 2;

/**
 * Waits for `work` until the deadline. Late work goes on, and its result is ignored.
 *
 * Time in which the event loop stood still does not count: an answer may have arrived that nothing could read yet, because
 * a loop that goes on runs timers before it reads sockets. The wait is then prolonged by that time. Decision 0035.
 *
 * @param keepsProcess whether the timer keeps the process alive until the deadline; default: no
 * @throws {Error} when the deadline has passed
 */
export const withDeadline = <Value>(
  work: Promise<Value>,
  deadlineMs: number,
  keepsProcess = false,
): Promise<Value> =>
  new Promise((resolve, reject) => {
    let mayProlongMs = deadlineMs * MAX_PROLONGATION;
    let timer: NodeJS.Timeout;
    const wait = (delayMs: number): void => {
      const dueAt = performance.now() + delayMs;
      timer = setTimeout(() => {
        const lateMs = performance.now() - dueAt;
        const prolongedMs = Math.min(lateMs, deadlineMs, mayProlongMs);
        mayProlongMs -= prolongedMs;
        if (lateMs >= STANDSTILL_MS && prolongedMs > 0) wait(prolongedMs);
        else reject(new Error(`not done within ${deadlineMs} ms`));
      }, delayMs);
      if (!keepsProcess) timer.unref();
    };
    wait(deadlineMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
