import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../rest/api-error.ts';
import { JobFailure } from './job-failure.ts';

/** Waits that long. Rejects when the signal aborts first. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

export const pause: Pause = async (ms, signal) => {
  await sleep(ms, undefined, { signal });
};

/** Waits, and no longer than until the signal aborts. */
export const pauseUnless = async (wait: Pause, ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await wait(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
};

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000;
const MAX_DOUBLINGS = 10;

/**
 * How long to wait after so many failures in succession: twice as long each time, less up to half of it, so that workers that
 * failed together do not come back together. Never less than the answer asked for.
 */
export const backoffMs = (failures: number, error: unknown, random: () => number = Math.random): number => {
  const whole = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, MAX_DOUBLINGS));
  return Math.round(Math.max(whole * (1 - random() / 2), askedMs(error)));
};

/** With some more, up to a fifth: many workers were asked for the same. */
const askedMs = (error: unknown): number =>
  error instanceof ApiError && error.retryAfterMs !== null ? error.retryAfterMs * (1 + Math.random() / 5) : 0;

/**
 * Whether the same request may succeed later: nobody answered, something else did (a proxy), or the answer says that the
 * service is busy. A failure of the job is none of these.
 */
export const isTransient = (error: unknown): boolean => {
  if (error instanceof JobFailure) return false;
  if (!(error instanceof ApiError)) return true;
  return (
    error.code === null ||
    error.status >= 500 ||
    [401, 408].includes(error.status) ||
    // A full organization is emptied by people, not by time.
    (error.status === 429 && error.code !== 'quota_exceeded')
  );
};

/**
 * Whether the service refuses the worker, whatever it asks: the organization is suspended, or admits it no longer. That says
 * nothing about a job.
 */
export const refusesWorker = (error: unknown): boolean =>
  error instanceof ApiError && REFUSALS.includes(error.code ?? '');

/** An outgrown quota of storage is 403 as well, and concerns what is sent. */
const REFUSALS: readonly string[] = ['organization_suspended', 'organization_access_denied', 'role_required'];

/**
 * Repeats `work` for as long as its failures are transient.
 *
 * @throws what `work` threw last: a failure that is not transient, or any once the signal has aborted
 */
export const retrying = async <Value>(
  work: () => Promise<Value>,
  {
    signal,
    wait,
    onFailure,
  }: {
    readonly signal: AbortSignal;
    readonly wait: Pause;
    readonly onFailure: (error: unknown, delayMs: number) => void;
  },
): Promise<Value> => {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error;
      const delayMs = backoffMs(failures, error);
      onFailure(error, delayMs);
      await wait(delayMs, signal);
    }
  }
};
