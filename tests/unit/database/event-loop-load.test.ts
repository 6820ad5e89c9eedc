import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { EventLoopLoad } from '../../../infrastructure/database/event-loop-load.ts';

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

  it('is full while there is nothing but work, and still counts as full at a short breath', async () => {
    const load = new EventLoopLoad();
    work(LOOK_MS);
    expect(load.isSaturated).to.equal(true);
    await sleep(LOOK_MS);
    expect(load.isSaturated).to.equal(true);
  });
});
