import { expect } from 'chai';
import { ConnectionBudget, type BudgetedPool } from '../../../infrastructure/pools/connection-budget.ts';
import { ConnectionSlot, type SlotState } from '../../../infrastructure/pools/connection-slot.ts';
import { SlotCounts } from '../../../infrastructure/pools/slot-counts.ts';

const STATES: readonly SlotState[] = ['connecting', 'in use', 'idle', 'closing', 'refused', 'gone'];

/** The way to each state. */
const WAYS: Readonly<Record<SlotState, readonly SlotState[]>> = {
  connecting: [],
  'in use': ['in use'],
  idle: ['in use', 'idle'],
  closing: ['in use', 'closing'],
  refused: ['refused'],
  gone: ['in use', 'closing', 'gone'],
};

const LEGAL: ReadonlySet<string> = new Set([
  'connecting → in use',
  'connecting → refused',
  'connecting → gone',
  'in use → in use',
  'in use → idle',
  'in use → closing',
  'idle → in use',
  'idle → closing',
  'closing → gone',
]);

const ALL_MOVES = STATES.flatMap((from) => STATES.map((to) => ({ from, to, move: `${from} → ${to}` })));

/** A slot in a state, and the moves that it tells from then on. */
const slotIn = (state: SlotState): { readonly slot: ConnectionSlot; readonly told: string[] } => {
  const told: string[] = [];
  const slot = new ConnectionSlot((from, to) => told.push(`${from} → ${to}`));
  for (const step of WAYS[state]) slot.move(step);
  told.length = 0;
  return { slot, told };
};

describe('a connection slot', () => {
  it('makes each legal move, and tells it', () => {
    for (const { from, to, move } of ALL_MOVES.filter((each) => LEGAL.has(each.move))) {
      const { slot, told } = slotIn(from);
      slot.move(to);
      expect([slot.state, told], move).to.deep.equal([to, [move]]);
    }
  });

  it('refuses every other move, and stays in its state', () => {
    for (const { from, to, move } of ALL_MOVES.filter((each) => !LEGAL.has(each.move))) {
      const { slot, told } = slotIn(from);
      expect(() => slot.move(to), move).to.throw(`a connection slot that is "${from}" cannot become "${to}"`);
      expect([slot.state, told], move).to.deep.equal([from, []]);
    }
  });

  it('is counted by its budget once, for its pool and for all', () => {
    const budget = new ConnectionBudget(10);
    const [one, other] = [new QuietPool(), new QuietPool()];
    const take = (pool: BudgetedPool): ConnectionSlot => {
      const slot = budget.take(pool);
      if (slot === null) throw new Error('the budget is spent');
      return slot;
    };
    const [first, second, third] = [take(one), take(one), take(other)];
    first.move('in use');
    second.move('in use');
    second.move('idle');
    expect(countsOf(one)).to.deep.equal({ connecting: 0, inUse: 1, idle: 1, closing: 0, held: 2 });
    expect(countsOf(other)).to.deep.equal({ connecting: 1, inUse: 0, idle: 0, closing: 0, held: 1 });
    expect(budget.taken).to.equal(3);
    second.move('closing');
    expect(countsOf(one)).to.deep.equal({ connecting: 0, inUse: 1, idle: 0, closing: 1, held: 2 });
    second.move('gone');
    third.move('refused');
    expect([one.slots.held, other.slots.held, budget.taken]).to.deep.equal([1, 0, 1]);
  });
});

/** Never waits for a slot. */
class QuietPool implements BudgetedPool {
  readonly slots = new SlotCounts();
  readonly wantsSlot = false;

  grantSlot(): never {
    throw new Error('nobody asked for a slot');
  }

  closeIdle(): never {
    throw new Error('nobody needs a slot');
  }
}

const countsOf = ({ slots: { connecting, inUse, idle, closing, held } }: QuietPool): object => ({
  connecting,
  inUse,
  idle,
  closing,
  held,
});
