import type { Server } from 'node:http';

/** A promise and what resolves it. */
export class Gate {
  readonly opened: Promise<void>;
  #open: (() => void) | null = null;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open?.();
  }
}

export const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Waits turn by turn; the test's own deadline ends a wait for nothing. */
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await nextTurn();
};

export const portOf = (server: Server): number => {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen');
  return address.port;
};
