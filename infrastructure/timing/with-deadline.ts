/**
 * Waits for `work` until the deadline. Late work goes on, and its result is ignored.
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
    const timer = setTimeout(() => reject(new Error(`not done within ${deadlineMs} ms`)), deadlineMs);
    if (!keepsProcess) timer.unref();
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
