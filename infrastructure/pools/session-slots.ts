import type { BudgetedPool, ConnectionBudget } from './connection-budget.ts';
import type { ConnectionSlot } from './connection-slot.ts';
import { SlotCounts } from './slot-counts.ts';

/**
 * Slots for sessions that no pool opens, such as those of migrations: the budget counts them like the connections of one
 * more pool, which keeps none idle.
 */
export class SessionSlots implements BudgetedPool {
  readonly slots = new SlotCounts();
  readonly #budget: ConnectionBudget;
  readonly #waiting: ((slot: ConnectionSlot) => void)[] = [];

  constructor(budget: ConnectionBudget) {
    this.#budget = budget;
  }

  get wantsSlot(): boolean {
    return this.#waiting.length > 0;
  }

  /** Waits for a slot; the caller has the deadline. Call what it resolves with after the server has hung up. Never rejects. */
  take(): Promise<() => void> {
    return new Promise((resolve) => {
      this.#waiting.push((slot) => resolve(() => this.#giveBack(slot)));
      this.#takeNext();
    });
  }

  grantSlot(slot: ConnectionSlot): void {
    const next = this.#waiting.shift();
    // The caller connects, and does not tell how that goes.
    slot.move('in use');
    next?.(slot);
  }

  closeIdle(): void {
    // There is none.
  }

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
