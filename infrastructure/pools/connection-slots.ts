import type { BudgetedPool, ConnectionBudget } from './connection-budget.ts';
import type { ConnectionSlot } from './connection-slot.ts';
import { SlotCounts } from './slot-counts.ts';

/** Leave to open a server connection. */
export interface ConnectionSlots {
  /** Waits for its turn. Call what it returns after the server has hung up. */
  take(): Promise<() => void>;
}

/** Counts connections outside the pools against the budget of all. To the budget it is one more pool. */
export class BudgetedSlots implements ConnectionSlots, BudgetedPool {
  readonly #budget: ConnectionBudget;
  readonly slots = new SlotCounts();
  readonly #waiting: ((slot: ConnectionSlot) => void)[] = [];

  constructor(budget: ConnectionBudget) {
    this.#budget = budget;
  }

  get wantsSlot(): boolean {
    return this.#waiting.length > 0;
  }

  take(): Promise<() => void> {
    return new Promise((resolve) => {
      this.#waiting.push((slot) => resolve(() => this.#giveBack(slot)));
      this.#takeNext();
    });
  }

  grantSlot(slot: ConnectionSlot): void {
    const next = this.#waiting.shift();
    // How the connect goes is not seen from here.
    slot.move('in use');
    next?.(slot);
  }

  /** It keeps no idle connections. */
  closeIdle(): void {}

  #takeNext(): void {
    const slot = this.#budget.take(this);
    if (slot !== null) this.grantSlot(slot);
  }

  #giveBack(slot: ConnectionSlot): void {
    slot.move('closing');
    slot.move('gone');
    if (this.wantsSlot) this.#takeNext();
  }
}
