import { expect } from 'chai';
import { SerialQueue } from '../../../infrastructure/timing/serial-queue.ts';
import { Gate, rejectionOf } from '../../support/gate.ts';

describe('turns', () => {
  it('begin in the order they were asked for, each after the end of the one before', async () => {
    const turns = new SerialQueue();
    const gates = [new Gate(), new Gate()];
    const log: string[] = [];
    const all = gates.map((gate, index) =>
      turns.take(async () => {
        log.push(`begin ${index}`);
        await gate.pass();
        log.push(`end ${index}`);
        return index;
      }),
    );
    await gates[0]?.reached;
    // The second one could go through at once.
    gates[1]?.open();
    gates[0]?.open();
    expect(await Promise.all(all)).to.deep.equal([0, 1]);
    expect(log).to.deep.equal(['begin 0', 'end 0', 'begin 1', 'end 1']);
  });

  it('go on after one that failed', async () => {
    const turns = new SerialQueue();
    const failed = rejectionOf(turns.take(() => Promise.reject(new Error('out of luck'))));
    expect(await turns.take(() => Promise.resolve('next'))).to.equal('next');
    expect(await failed).to.include({ message: 'out of luck' });
  });

  it('last until what they hold for is over, though their result is there before', async () => {
    const turns = new SerialQueue();
    const gate = new Gate();
    const first = turns.take((hold) => {
      hold(gate.pass());
      return Promise.resolve('first');
    });
    let second = 'waits';
    const next = turns.take(async () => {
      second = 'began';
    });
    expect(await first).to.equal('first');
    await gate.reached;
    expect([second, turns.waiting]).to.deep.equal(['waits', 1]);
    gate.open();
    await next;
    expect(turns.waiting).to.equal(0);
  });

  it('are taken by the next one beside a turn that lasts too long', async () => {
    const turns = new SerialQueue(1);
    const gate = new Gate();
    const stuck = turns.take(() => gate.pass());
    expect(await turns.take(() => Promise.resolve('next'))).to.equal('next');
    gate.open();
    await stuck;
  });
});
