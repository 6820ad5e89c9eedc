import { expect } from 'chai';
import { EventLoopLoad } from '../../../infrastructure/timing/event-loop-load.ts';

const LOOK_MS = 60;

const work = (ms: number): void => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

/** A loop whose times a test says: on a busy machine, a real one that rests may look as if it worked. */
class Loop {
  #now = 0;
  readonly #spent = { idle: 0, active: 0, utilization: 0 };
  readonly load = new EventLoopLoad(
    () => this.#now,
    () => ({ ...this.#spent }),
  );

  pass(ms: number, kind: 'idle' | 'active'): void {
    this.#now += ms;
    this.#spent[kind] += ms;
  }
}

describe('the load of the event loop', () => {
  it('is not full at rest, nor where a tenth of the time is rest', () => {
    const loop = new Loop();
    loop.pass(LOOK_MS, 'idle');
    expect(loop.load.isSaturated).to.equal(false);
    loop.pass(LOOK_MS * 0.1, 'idle');
    loop.pass(LOOK_MS * 0.9, 'active');
    expect(loop.load.isSaturated).to.equal(false);
  });

  it('counts as full for a second', () => {
    const loop = new Loop();
    loop.pass(LOOK_MS, 'active');
    expect(loop.load.isSaturated).to.equal(true);
    loop.pass(999, 'idle');
    expect(loop.load.isSaturated).to.equal(true);
    loop.pass(1, 'idle');
    expect(loop.load.isSaturated).to.equal(false);
  });

  it('is full while a process does nothing but work', () => {
    const load = new EventLoopLoad();
    work(LOOK_MS);
    expect(load.isSaturated).to.equal(true);
  });
});
