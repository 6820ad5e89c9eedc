/** How far the server's clock is ahead of this machine's, by the `Date` of its last answer. */
let aheadMs = 0;

export const noteServerTime = (headers: Headers): void => {
  const date = Date.parse(headers.get('Date') ?? '');
  // The header has whole seconds: only what is more than its rounding says something about the clocks.
  if (Number.isNaN(date)) return;
  const difference = date + 500 - Date.now();
  if (Math.abs(difference - aheadMs) > 1500) aheadMs = difference;
};

/** The server's time. Ages are computed against it: clocks of laboratories go wrong. */
export const serverNow = (): number => Date.now() + aheadMs;
