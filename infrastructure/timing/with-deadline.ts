/**
 * Waits for `work`, but not for longer than that; what is late goes on by itself, and how it ends is ignored.
 *
 * @param keepsProcess whether a process with nothing else to do stays to see the deadline
 * @throws {Error} when the deadline passes
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
