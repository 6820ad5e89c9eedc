import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { EventLoopLoad } from '../../../infrastructure/timing/event-loop-load.ts';

const LOOK_MS = 60;

const work = (ms: number): void => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

describe('the load of the event loop', () => {
  it('is not full at rest', async () => {
    const load = new EventLoopLoad();
    await sleep(LOOK_MS);
    expect(load.isSaturated).to.equal(false);
  });

  it('is full while there is nothing but work, and counts as full for a second', async () => {
    let now = 0;
    const load = new EventLoopLoad(() => now);
    work(LOOK_MS);
    now = LOOK_MS;
    expect(load.isSaturated).to.equal(true);
    await sleep(LOOK_MS);
    now = LOOK_MS + 999;
    expect(load.isSaturated).to.equal(true);
    now = LOOK_MS + 1000;
    expect(load.isSaturated).to.equal(false);
  });
});
