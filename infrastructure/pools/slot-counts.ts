import type { SlotState } from './connection-slot.ts';

/** How many slots are in each state: those of one pool, or those of all pools of a budget. */
export class SlotCounts {
  readonly #counts: Record<SlotState, number> = {
    connecting: 0,
    'in use': 0,
    idle: 0,
    closing: 0,
    refused: 0,
    gone: 0,
  };

  get connecting(): number {
    return this.#counts.connecting;
  }

  get inUse(): number {
    return this.#counts['in use'];
  }

  get idle(): number {
    return this.#counts.idle;
  }

  get closing(): number {
    return this.#counts.closing;
  }

  /** Slots whose connection is open and not being closed. */
  get connected(): number {
    return this.inUse + this.idle;
  }

  /** Slots whose connection is open, or about to be, and not being closed. */
  get staying(): number {
    return this.connecting + this.connected;
  }

  /** Slots that count against the budget. */
  get held(): number {
    return this.staying + this.closing;
  }

  /** Counts a new slot. */
  add(state: SlotState): void {
    this.#counts[state] += 1;
  }

  move(from: SlotState, to: SlotState): void {
    this.#counts[from] -= 1;
    this.#counts[to] += 1;
  }
}
