import { expect } from 'chai';
import { Periodic } from '../../../infrastructure/timing/periodic.ts';
import { Gate, until } from '../../support/gate.ts';

/** Lets time pass in which other work of the same pace would have been done. */
const severalTimes = async (): Promise<void> => {
  let times = 0;
  const periodic = new Periodic(1, async () => {
    times += 1;
  });
  periodic.start();
  await until('it was done several times', () => times >= 3);
  await periodic.close();
};

describe('periodic work', () => {
  let begun: number;
  const count = async (): Promise<void> => {
    begun += 1;
  };

  beforeEach(() => {
    begun = 0;
  });

  it('is done again and again until it is closed', async () => {
    const periodic = new Periodic(1, count);
    periodic.start();
    await until('it was done again', () => begun >= 2);
    await periodic.close();
    const atClose = begun;
    await severalTimes();
    expect(begun).to.equal(atClose);
  });

  it('is begun at once where that is asked for, and once by two starts', async () => {
    const periodic = new Periodic(60_000, count);
    periodic.start();
    expect(begun).to.equal(0);
    await periodic.close();
    periodic.start({ now: true });
    periodic.start({ now: true });
    expect(begun).to.equal(1);
    await periodic.close();
  });

  it('is left out while it is under way, which the close waits for', async () => {
    const gate = new Gate();
    let ended = false;
    const periodic = new Periodic(1, async () => {
      begun += 1;
      await gate.pass();
      ended = true;
    });
    periodic.start();
    await gate.reached;
    await severalTimes();
    expect(begun).to.equal(1);
    const closed = periodic.close();
    gate.open();
    await closed;
    expect(ended).to.equal(true);
  });
});
