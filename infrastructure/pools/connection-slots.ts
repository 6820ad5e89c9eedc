import type { BudgetedPool, ConnectionBudget } from './connection-budget.ts';

/** Leave to open a server connection. */
export interface ConnectionSlots {
  /** Waits for its turn. Call what it returns after the server has hung up. */
  take(): Promise<() => void>;
}

/** Counts connections outside the pools against the budget of all. To the budget it is one more pool. */
export class BudgetedSlots implements ConnectionSlots, BudgetedPool {
  readonly #budget: ConnectionBudget;
  readonly #waiting: (() => void)[] = [];
  #slots = 0;

  constructor(budget: ConnectionBudget) {
    this.#budget = budget;
  }

  get slots(): number {
    return this.#slots;
  }

  get wantsSlot(): boolean {
    return this.#waiting.length > 0;
  }

  take(): Promise<() => void> {
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve(() => this.#giveBack()));
      if (this.#budget.take(this)) this.grantSlot();
    });
  }

  grantSlot(): void {
    this.#slots += 1;
    // How the connect goes is not seen from here.
    this.#budget.connected(this);
    this.#waiting.shift()?.();
  }

  /** It keeps no idle connections. */
  closeIdle(): void {}

  #giveBack(): void {
    this.#slots -= 1;
    this.#budget.release(this, false);
    if (this.wantsSlot && this.#budget.take(this)) this.grantSlot();
  }
}
