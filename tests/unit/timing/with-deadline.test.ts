import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { withDeadline } from '../../../infrastructure/timing/with-deadline.ts';
import { Gate, rejectionOf } from '../../support/gate.ts';

describe('work with a deadline', () => {
  it('ends as it ends by itself, when that is in time', async () => {
    expect(await withDeadline(Promise.resolve(1), 60_000)).to.equal(1);
    const failure = new Error('it failed');
    expect(await rejectionOf(withDeadline(Promise.reject(failure), 60_000))).to.equal(failure);
  });

  it('is not waited for any longer, and may fail then', async () => {
    const gate = new Gate();
    const work = gate.opened.then(() => {
      throw new Error('it failed, too');
    });
    expect(await rejectionOf(withDeadline(work, 1, true)))
      .to.be.an('error')
      .with.property('message', 'not done within 1 ms');
    gate.open();
  });

  it('is not given up when the event loop stood still while the answer came', async () => {
    // Done by another thread during the standstill. The loop then runs timers before it takes results.
    const answer = promisify(randomBytes)(8);
    const work = withDeadline(answer, 50);
    standStill(200);
    expect(await work).to.have.length(8);
  });

  it('is given up all the same when no answer came, however often the loop stands still', async () => {
    const gate = new Gate();
    let isOver = false;
    const work = rejectionOf(withDeadline(gate.opened, 20)).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      standStill(60);
      await nextTurn();
    }
    expect(await work).to.be.an('error');
    gate.open();
  });
});

const standStill = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};
