import { expect } from 'chai';
import {
  LeasedRegistry,
  type Closeable,
  type RegistryOptions,
} from '../../../infrastructure/routing/leased-registry.ts';
import { Gate } from '../../support/gate.ts';

/** Something that closes when its gate opens. */
class Resource implements Closeable {
  readonly key: string;
  readonly gate = new Gate();
  closings = 0;

  constructor(key: string, closesAtOnce: boolean) {
    this.key = key;
    if (closesAtOnce) this.gate.open();
  }

  close(): Promise<void> {
    this.closings += 1;
    return this.gate.pass();
  }
}

describe('the leased registry', () => {
  let removals: string[];
  let leaks: string[];
  let made: Resource[];

  beforeEach(() => {
    removals = [];
    leaks = [];
    made = [];
  });

  const create = (options: Partial<RegistryOptions> = {}): LeasedRegistry<Resource> =>
    new LeasedRegistry({
      capacity: 2,
      leaseTimeoutMs: 60_000,
      onRemoval: (key, reason) => removals.push(`${key} ${reason}`),
      onLeak: (key) => leaks.push(key),
      ...options,
    });
  const maker =
    (key: string, closesAtOnce = true) =>
    (): Resource => {
      const resource = new Resource(key, closesAtOnce);
      made.push(resource);
      return resource;
    };
  const take = (registry: LeasedRegistry<Resource>, key: string) => registry.checkout(key, maker(key));

  describe('leases', () => {
    it('share one value, made once', () => {
      const registry = create();
      const [one, two] = [take(registry, 'a'), take(registry, 'a')];
      expect(one.value).to.equal(two.value);
      expect(made).to.have.length(1);
      expect(registry.counts).to.deep.equal({ active: 1, draining: 0, leases: 2 });
    });

    it('a second release takes nothing from another', () => {
      const registry = create({ capacity: 1 });
      const [one, two] = [take(registry, 'a'), take(registry, 'a')];
      one.release();
      one.release();
      take(registry, 'b').release();
      expect(removals, 'the other still holds it').to.deep.equal([]);
      two.release();
      take(registry, 'b').release();
      expect(removals).to.deep.equal(['a evict']);
    });

    it('a maker that throws leaves nothing behind', () => {
      const registry = create();
      const failing = (): Resource => {
        throw new Error('no');
      };
      expect(() => registry.checkout('a', failing)).to.throw('no');
      expect(registry.counts).to.deep.equal({ active: 0, draining: 0, leases: 0 });
      take(registry, 'a').release();
    });

    it('past their deadline are reported once, and keep nothing any more', async () => {
      const registry = create({ leaseTimeoutMs: 0, capacity: 1 });
      const leaked = take(registry, 'a');
      await new Promise((resolve) => setTimeout(resolve, 2));
      registry.sweep(() => false);
      registry.sweep(() => false);
      expect(leaks).to.deep.equal(['a']);
      const held = take(registry, 'a');
      leaked.release();
      expect(registry.counts.leases).to.equal(1);
      held.release();
      take(registry, 'b').release();
      expect(removals).to.deep.equal(['a evict']);
    });

    it('past their deadline are reported on a draining value, too, which closes then', async () => {
      const registry = create({ leaseTimeoutMs: 0 });
      const { value } = take(registry, 'a');
      registry.remove('a', value, 'invalidate');
      expect(value.closings).to.equal(0);
      await new Promise((resolve) => setTimeout(resolve, 2));
      registry.sweep(() => false);
      expect([leaks, value.closings, registry.counts.draining]).to.deep.equal([['a'], 1, 0]);
    });
  });

  describe('eviction', () => {
    it('takes the least recently used that nobody holds', () => {
      const registry = create({ capacity: 3 });
      const held = take(registry, 'a');
      for (const key of ['b', 'c', 'b', 'd']) take(registry, key).release();
      expect(removals).to.deep.equal(['c evict']);
      held.release();
      take(registry, 'e').release();
      expect(removals, 'use is the checkout').to.deep.equal(['c evict', 'a evict']);
    });

    it('looking refreshes nothing', () => {
      const registry = create();
      for (const key of ['a', 'b']) take(registry, key).release();
      expect(registry.peek('a')).to.equal(made[0]);
      expect([...registry.entries()].map(([key]) => key)).to.deep.equal(['a', 'b']);
      take(registry, 'c').release();
      expect(removals).to.deep.equal(['a evict']);
    });

    it('exceeds the capacity rather than refuse, and makes up for it', () => {
      const registry = create({ capacity: 1 });
      const leases = ['a', 'b', 'c'].map((key) => take(registry, key));
      expect(registry.counts.active).to.equal(3);
      for (const { release } of leases) release();
      take(registry, 'd').release();
      expect(registry.counts.active).to.equal(1);
      expect(removals).to.deep.equal(['a evict', 'b evict', 'c evict']);
    });

    it('never takes a value between look-up and claim: no await is there', () => {
      const registry = create({ capacity: 1 });
      take(registry, 'a').release();
      const a = take(registry, 'a');
      const b = take(registry, 'b');
      expect(a.value.closings).to.equal(0);
      expect(removals).to.deep.equal([]);
      a.release();
      b.release();
    });
  });

  describe('draining', () => {
    it('a removed value closes after its last lease, and a new claim gets a new one', () => {
      const registry = create();
      const old = [take(registry, 'a'), take(registry, 'a')] as const;
      registry.remove('a', old[0].value, 'invalidate');
      const fresh = take(registry, 'a');
      expect(fresh.value).not.to.equal(old[0].value);
      old[0].release();
      expect(old[0].value.closings).to.equal(0);
      old[1].release();
      expect([old[0].value.closings, fresh.value.closings]).to.deep.equal([1, 0]);
      fresh.release();
    });

    it('removes only the value it was asked to', () => {
      const registry = create();
      const old = take(registry, 'a');
      registry.remove('a', old.value, 'invalidate');
      old.release();
      const fresh = take(registry, 'a');
      registry.remove('a', old.value, 'invalidate');
      expect(registry.peek('a')).to.equal(fresh.value);
      expect(removals).to.deep.equal(['a invalidate']);
      fresh.release();
    });

    it('sweeps out what is dormant, never what is held', () => {
      const registry = create();
      const held = take(registry, 'a');
      take(registry, 'b').release();
      registry.sweep(() => true);
      expect(removals).to.deep.equal(['b expire']);
      held.release();
      registry.sweep((value) => value.key === 'b');
      expect(removals).to.deep.equal(['b expire']);
    });
  });

  describe('closing all', () => {
    it('waits for leases, and for what closes', async () => {
      const registry = create();
      const lease = registry.checkout('a', maker('a', false));
      let done = false;
      const closing = registry.closeAll(60_000).then(() => {
        done = true;
      });
      await Promise.resolve();
      expect([lease.value.closings, done]).to.deep.equal([0, false]);
      lease.release();
      await lease.value.gate.reached;
      expect([lease.value.closings, done]).to.deep.equal([1, false]);
      lease.value.gate.open();
      await closing;
      expect(registry.counts).to.deep.equal({ active: 0, draining: 0, leases: 0 });
    });

    it('waits for a value that was evicted before and is not closed yet', async () => {
      const registry = create({ capacity: 1 });
      registry.checkout('a', maker('a', false)).release();
      take(registry, 'b').release();
      let done = false;
      const closing = registry.closeAll(60_000).then(() => {
        done = true;
      });
      await new Promise((resolve) => void setImmediate(resolve));
      expect(done).to.equal(false);
      made[0]?.gate.open();
      await closing;
    });

    it('closes values under their leases when the deadline has passed, and does not hang on them', async () => {
      const registry = create();
      const lease = registry.checkout('a', maker('a', false));
      await registry.closeAll(5);
      expect(lease.value.closings).to.equal(1);
      lease.release();
      lease.value.gate.open();
      expect(registry.counts).to.deep.equal({ active: 0, draining: 0, leases: 0 });
    });

    it('of nothing ends at once', async () => {
      await create().closeAll(60_000);
    });
  });
});
