import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { ConnectionBudget, type BudgetedPool } from '../../../infrastructure/pools/connection-budget.ts';
import { until } from '../../support/gate.ts';

/** Than the first one, after which it is tried again. */
const LONGER_THAN_A_BACK_OFF_MS = 150;

/** A pool whose connections open and close when the test says so. */
class FakePool implements BudgetedPool {
  readonly name: string;
  readonly #budget: ConnectionBudget;
  wanted = 0;
  idle = 0;
  inUse = 0;
  closing = 0;

  constructor(name: string, budget: ConnectionBudget) {
    this.name = name;
    this.#budget = budget;
  }

  get slots(): number {
    return this.idle + this.inUse + this.closing;
  }

  get wantsSlot(): boolean {
    return this.wanted > 0;
  }

  /** As a request that needs a connection. */
  want(count = 1): this {
    this.wanted += count;
    while (this.wantsSlot && this.#budget.take(this)) this.grantSlot();
    return this;
  }

  grantSlot(): void {
    this.wanted -= 1;
    this.inUse += 1;
  }

  /** A connect of its succeeded. */
  opened(): this {
    this.#budget.connected(this);
    return this;
  }

  /** The server has no room for a connect of its. */
  refused(): this {
    this.#budget.serverFull();
    this.inUse -= 1;
    this.#budget.release(this, false);
    return this;
  }

  /** All requests are over; nobody of its own waits. */
  rest(): this {
    this.idle += this.inUse;
    this.inUse = 0;
    this.#budget.markIdle(this, this.idle > 0);
    return this;
  }

  closeIdle(): void {
    this.idle -= 1;
    this.closing += 1;
    this.#budget.closing();
    if (this.idle === 0) this.#budget.markIdle(this, false);
  }

  /** The server has hung up. */
  hangUp(): this {
    while (this.closing > 0) {
      this.closing -= 1;
      this.#budget.release(this, true);
    }
    return this;
  }
}

describe('the connection budget', () => {
  const pools = (limit: number, ...names: string[]): [ConnectionBudget, ...FakePool[]] => {
    const budget = new ConnectionBudget(limit);
    return [budget, ...names.map((name) => new FakePool(name, budget))];
  };

  it('gives slots up to its limit, and no more', () => {
    const [budget, a, b] = pools(3, 'a', 'b');
    a?.want(2);
    b?.want(2);
    expect([budget.taken, a?.inUse, b?.inUse, b?.wanted]).to.deep.equal([3, 2, 1, 1]);
  });

  it('gives a slot only after the server has hung up', () => {
    const [budget, a, b] = pools(1, 'a', 'b');
    a?.want().rest();
    b?.want();
    expect([a?.closing, b?.inUse, budget.taken]).to.deep.equal([1, 0, 1]);
    a?.hangUp();
    expect([a?.slots, b?.inUse, budget.taken]).to.deep.equal([0, 1, 1]);
  });

  it('closes the idle connection of the pool that was used longest ago', () => {
    const [, a, b, c, d] = pools(3, 'a', 'b', 'c', 'd');
    for (const pool of [a, b, c]) pool?.want().rest();
    a?.rest(); // used again
    d?.want();
    expect([a?.closing, b?.closing, c?.closing]).to.deep.equal([0, 1, 0]);
  });

  it('takes one connection after another from the same pool before it turns to one that was used later', () => {
    const [, a, b, c, d] = pools(4, 'a', 'b', 'c', 'd');
    a?.want(2).rest();
    b?.want(2).rest();
    c?.want();
    a?.hangUp();
    d?.want();
    expect([a?.closing, b?.closing], 'losing a connection is no use').to.deep.equal([1, 0]);
  });

  it('takes nothing that was used a moment ago for a pool that has a connection', () => {
    const [, a, b] = pools(2, 'a', 'b');
    a?.want().rest();
    b?.want();
    b?.want();
    expect(a?.closing).to.equal(0);
  });

  it('takes turns of one slot between pools that wait', () => {
    const [, a, b, c] = pools(2, 'a', 'b', 'c');
    a?.want(2);
    b?.want(5);
    c?.want(1);
    a?.rest().hangUp();
    expect([b?.inUse, c?.inUse]).to.deep.equal([1, 1]);
  });

  it('forgets a pool that wants nothing any more', () => {
    const [budget, a, b, c] = pools(1, 'a', 'b', 'c');
    a?.want();
    b?.want();
    c?.want();
    if (b !== undefined) {
      b.wanted = 0;
      budget.leave(b);
    }
    a?.rest().hangUp();
    expect([b?.inUse, c?.inUse]).to.deep.equal([0, 1]);
  });

  it('asks a pool above its share to yield to one that waits, and no other', () => {
    const [budget, a, b, c] = pools(4, 'a', 'b', 'c');
    a?.want(3);
    b?.want(1);
    expect(budget.shouldYield(a ?? c ?? failure()), 'nobody waits').to.equal(false);
    c?.want(1);
    expect([a, b, c].map((pool) => budget.shouldYield(pool ?? failure()))).to.deep.equal([
      true,
      false,
      false,
    ]);
  });

  it('asks for one connection for each that waits, those on their way out included', () => {
    const [budget, a, b, c] = pools(6, 'a', 'b', 'c');
    a?.want(3);
    b?.want(3);
    c?.want(1);
    expect(budget.shouldYield(b ?? failure())).to.equal(true);
    budget.closing(); // one of a's
    expect(budget.shouldYield(b ?? failure())).to.equal(false);
  });

  it('does not ask for a connection in favour of a pool that no longer wants one', () => {
    const [budget, a, b] = pools(3, 'a', 'b');
    a?.want(3);
    b?.want(1);
    if (b !== undefined) b.wanted = 0; // its waiter gave up
    expect(budget.shouldYield(a ?? failure())).to.equal(false);
  });
  describe('when the server is full before the slots are spent', () => {
    /** Two connections of `a`, and the server has refused a third one. */
    const fill = (budget: ConnectionBudget, a: FakePool, b: FakePool): void => {
      a.want(2).opened().opened();
      b.want().refused();
      expect([budget.taken, b.slots]).to.deep.equal([2, 0]);
    };
    const closeOne = (pool: FakePool): void => {
      pool.inUse -= 1;
      pool.idle += 1;
      pool.closeIdle();
      pool.hangUp();
    };

    it('tries again after a try that told nothing, as another connection closed meanwhile', async () => {
      const [budget, a = failure(), b = failure(), c = failure()] = pools(10, 'a', 'b', 'c');
      fill(budget, a, b);
      b.want();
      await until('it is tried', () => b.slots > 0);
      closeOne(a);
      b.opened();
      c.want();
      expect(c.slots).to.equal(1);
      c.opened().want();
      expect(c.slots, 'there is room after all').to.equal(2);
    });

    it('serves whoever waits when the connect ends that was under way when the time was over', async () => {
      const [budget, a = failure(), b = failure(), c = failure()] = pools(10, 'a', 'b', 'c');
      fill(budget, a, b);
      b.want();
      c.want();
      closeOne(a);
      expect([b.slots, c.slots]).to.deep.equal([1, 0]);
      await sleep(LONGER_THAN_A_BACK_OFF_MS);
      expect(c.slots, 'one at a time').to.equal(0);
      b.opened();
      expect(c.slots).to.equal(1);
    });
  });
});

const failure = (): never => {
  throw new Error('the test has no such pool');
};
