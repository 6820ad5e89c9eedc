import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { ConnectionBudget, type BudgetedPool } from '../../../infrastructure/pools/connection-budget.ts';
import type { ConnectionSlot, SlotState } from '../../../infrastructure/pools/connection-slot.ts';
import { SlotCounts } from '../../../infrastructure/pools/slot-counts.ts';
import { until } from '../../support/gate.ts';
import { Random } from '../../support/random.ts';

/** Than the first one, after which it is tried again. */
const LONGER_THAN_A_BACK_OFF_MS = 150;

/** A pool whose connections open and close when the test says so. */
class FakePool implements BudgetedPool {
  readonly name: string;
  readonly slots = new SlotCounts();
  readonly #budget: ConnectionBudget;
  readonly #held = new Set<ConnectionSlot>();
  wanted = 0;

  constructor(name: string, budget: ConnectionBudget) {
    this.name = name;
    this.#budget = budget;
  }

  get wantsSlot(): boolean {
    return this.wanted > 0;
  }

  /** Those that are still connecting included. */
  get inUse(): number {
    return this.slots.connecting + this.slots.inUse;
  }

  get closing(): number {
    return this.slots.closing;
  }

  /** As a request that needs a connection. */
  want(count = 1): this {
    this.wanted += count;
    while (this.wantsSlot) {
      const slot = this.#budget.take(this);
      if (slot === null) break;
      this.grantSlot(slot);
    }
    return this;
  }

  grantSlot(slot: ConnectionSlot): void {
    this.wanted -= 1;
    this.#held.add(slot);
  }

  /** One of its connects succeeds. */
  opened(): this {
    return this.#moveOne('connecting', 'in use');
  }

  /** The server is too full for one of its connects. */
  refused(): this {
    return this.#moveOne('connecting', 'refused');
  }

  /** All its connects succeed, and all its requests end. */
  rest(): this {
    while (this.slots.connecting > 0) this.opened();
    while (this.slots.inUse > 0) this.#moveOne('in use', 'idle');
    return this;
  }

  /** A request comes, takes an idle connection and gives it back. */
  use(): this {
    return this.#moveOne('idle', 'in use').#moveOne('in use', 'idle');
  }

  /** A request gives its connection back: the pool closes it for others, or serves the next request, or keeps it. */
  giveBack(): this {
    if (this.#budget.shouldYield(this)) return this.discard();
    if (!this.wantsSlot) return this.#moveOne('in use', 'idle');
    this.wanted -= 1;
    return this.#moveOne('in use', 'in use');
  }

  /** A request gives its connection back, and the pool closes it. */
  discard(): this {
    return this.#moveOne('in use', 'closing');
  }

  closeIdle(): void {
    this.#moveOne('idle', 'closing');
  }

  /** The server has hung up. */
  hangUp(): this {
    while (this.slots.closing > 0) this.#moveOne('closing', 'gone');
    return this;
  }

  #moveOne(from: SlotState, to: SlotState): this {
    const slot = [...this.#held].find(({ state }) => state === from);
    if (slot === undefined) throw new Error(`${this.name} has no slot that is ${from}`);
    if (to === 'gone' || to === 'refused') this.#held.delete(slot);
    slot.move(to);
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
    expect([a?.slots.held, b?.inUse, budget.taken]).to.deep.equal([0, 1, 1]);
  });

  it('closes the idle connection of the pool that was used longest ago', () => {
    const [, a, b, c, d] = pools(3, 'a', 'b', 'c', 'd');
    for (const pool of [a, b, c]) pool?.want().rest();
    a?.use();
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

  it('gives slots to pools that wait one at a time', () => {
    const [, a, b, c] = pools(2, 'a', 'b', 'c');
    a?.want(2);
    b?.want(5);
    c?.want(1);
    a?.rest().hangUp();
    expect([b?.inUse, c?.inUse]).to.deep.equal([1, 1]);
  });

  it('forgets a pool that is closed', () => {
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

  it('asks for one connection for each pool that waits, counting those that are closing', () => {
    const [budget, a, b, c] = pools(6, 'a', 'b', 'c');
    a?.want(3).opened();
    b?.want(3);
    c?.want(1);
    expect(budget.shouldYield(b ?? failure())).to.equal(true);
    a?.discard();
    expect(budget.shouldYield(b ?? failure())).to.equal(false);
  });

  it('does not ask for a connection in favour of a pool that no longer wants one', () => {
    const [budget, a, b] = pools(3, 'a', 'b');
    a?.want(3);
    b?.want(1);
    if (b !== undefined) b.wanted = 0; // its waiter gave up
    expect(budget.shouldYield(a ?? failure())).to.equal(false);
  });

  it('is never exceeded, counts every slot once, and serves every request in the end, whatever pools do', () => {
    const random = new Random(13);
    const budget = new ConnectionBudget(5);
    const all = Array.from({ length: 7 }, (_, index) => new FakePool(`pool ${index}`, budget));
    const check = (): void => {
      expect(budget.taken).to.be.at.most(5);
      expect(all.reduce((sum, { slots }) => sum + slots.held, 0)).to.equal(budget.taken);
    };
    for (let step = 0; step < 20_000; step += 1) {
      const pool = random.pick(all);
      const { connecting, inUse, idle, closing } = pool.slots;
      const possible = [
        ...(pool.wanted < 3 && idle === 0 ? [() => pool.want()] : []),
        ...(connecting > 0 ? [() => pool.opened()] : []),
        ...(inUse > 0 ? [() => pool.giveBack()] : []),
        ...(idle > 0 ? [() => pool.use()] : []),
        ...(closing > 0 ? [() => pool.hangUp()] : []),
      ];
      if (possible.length > 0) random.pick(possible)();
      check();
    }
    for (let round = 0; round < 50; round += 1) {
      for (const pool of all) {
        while (pool.slots.connecting > 0) pool.opened();
        for (let { inUse } = pool.slots; inUse > 0; inUse -= 1) pool.giveBack();
        pool.hangUp();
        check();
      }
    }
    expect(all.map(({ wanted }) => wanted)).to.deep.equal(all.map(() => 0));
  });

  describe('when the server is full before the slots are spent', () => {
    /** Two connections of `a`, and the server has refused a third one. */
    const fill = (budget: ConnectionBudget, a: FakePool, b: FakePool): void => {
      a.want(2).opened().opened();
      b.want().refused();
      expect([budget.taken, b.slots.held]).to.deep.equal([2, 0]);
    };
    const closeOne = (pool: FakePool): void => {
      pool.discard().hangUp();
    };

    it('tries again after a try that proved nothing, as another connection closed meanwhile', async () => {
      const [budget, a = failure(), b = failure(), c = failure()] = pools(10, 'a', 'b', 'c');
      fill(budget, a, b);
      b.want();
      await until('it is tried', () => b.slots.held > 0);
      closeOne(a);
      b.opened();
      c.want();
      expect(c.slots.held).to.equal(1);
      c.opened().want();
      expect(c.slots.held, 'there is room after all').to.equal(2);
    });

    it('serves a pool that waits when the connect ends that was under way at the end of the back-off', async () => {
      const [budget, a = failure(), b = failure(), c = failure()] = pools(10, 'a', 'b', 'c');
      fill(budget, a, b);
      b.want();
      c.want();
      closeOne(a);
      expect([b.slots.held, c.slots.held]).to.deep.equal([1, 0]);
      await sleep(LONGER_THAN_A_BACK_OFF_MS);
      expect(c.slots.held, 'one at a time').to.equal(0);
      b.opened();
      expect(c.slots.held).to.equal(1);
    });
  });
});

const failure = (): never => {
  throw new Error('the test has no such pool');
};
