/** An answer that never comes keeps nobody from asking again. */
const LONGEST_MS = 30_000;

/**
 * Gathers a burst of calls for `gatherMs`, and acts once for all of them. A call during the act leads to one more after it: acts
 * that overlap would cancel each other's requests, and while much happens none would ever be answered.
 */
export const gathered = (act: () => Promise<unknown>, gatherMs: number): (() => void) => {
  let isWaiting = false;
  let isActing = false;
  let isCalledAgain = false;
  const perform = async (): Promise<void> => {
    isWaiting = false;
    isActing = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deadline = new Promise((resolve) => {
      timer = setTimeout(resolve, LONGEST_MS);
    });
    await Promise.race([act().catch(() => undefined), deadline]);
    clearTimeout(timer);
    isActing = false;
    if (!isCalledAgain) return;
    isCalledAgain = false;
    call();
  };
  const call = (): void => {
    if (isActing) isCalledAgain = true;
    else if (!isWaiting) {
      isWaiting = true;
      setTimeout(() => void perform(), gatherMs);
    }
  };
  return call;
};
