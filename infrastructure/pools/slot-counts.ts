import type { SlotState } from './connection-slot.ts';

/** How many slots are in each state: those of one pool, or those of all pools of a budget. */
export class SlotCounts {
  #connecting = 0;
  #inUse = 0;
  #idle = 0;
  #closing = 0;

  get connecting(): number {
    return this.#connecting;
  }

  get inUse(): number {
    return this.#inUse;
  }

  get idle(): number {
    return this.#idle;
  }

  get closing(): number {
    return this.#closing;
  }

  /** Slots whose connection is open and not being closed. */
  get connected(): number {
    return this.#inUse + this.#idle;
  }

  /** Slots whose connection is open, or about to be, and not being closed. */
  get staying(): number {
    return this.#connecting + this.connected;
  }

  /** Slots that count against the budget. */
  get held(): number {
    return this.staying + this.#closing;
  }

  /** Counts a new slot. */
  add(state: SlotState): void {
    this.#change(state, 1);
  }

  move(from: SlotState, to: SlotState): void {
    this.#change(from, -1);
    this.#change(to, 1);
  }

  #change(state: SlotState, by: 1 | -1): void {
    if (state === 'connecting') this.#connecting += by;
    else if (state === 'in use') this.#inUse += by;
    else if (state === 'idle') this.#idle += by;
    else if (state === 'closing') this.#closing += by;
    // Slots that are refused or gone are nobody's.
  }
}
