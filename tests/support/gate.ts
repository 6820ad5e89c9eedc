import { setTimeout as sleep } from 'node:timers/promises';

/** A promise and what resolves it. Somebody waits at `opened`; the test sees that by `reached`. */
export class Gate {
  readonly opened: Promise<void>;
  readonly reached: Promise<void>;
  #open: () => void = () => undefined;
  #reach: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
  }

  open(): void {
    this.#open();
  }

  /** Says that somebody stands before the gate, and waits until it opens. */
  pass(): Promise<void> {
    this.#reach();
    return this.opened;
  }
}

const DEADLINE_MS = 10_000;
/** Between two looks: longer each time, for a look may cost the server a connection. */
const SHORTEST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 40;

/**
 * Waits for a state that only others (the server, another process) bring about.
 *
 * @param what it waits for, for the error; a function says at the end what was seen instead
 */
export const until = async (
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  deadlineMs = DEADLINE_MS,
): Promise<void> => {
  const deadline = performance.now() + deadlineMs;
  let pauseMs = SHORTEST_PAUSE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      const said = typeof what === 'string' ? what : what();
      throw new Error(`waited ${deadlineMs} ms in vain until ${said}`);
    }
    await sleep(pauseMs);
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5);
  }
};

/** The error that `work` rejects with; fails when it resolves. */
export const rejectionOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('resolved where a rejection was expected');
};
