import { expect } from 'chai';
import { SerialQueue } from '../../../infrastructure/timing/serial-queue.ts';
import { Gate, rejectionOf } from '../../support/gate.ts';

describe('a serial queue', () => {
  it('begins work in the order it was asked for, each after the end of the one before', async () => {
    const queue = new SerialQueue();
    const gates = [new Gate(), new Gate()];
    const log: string[] = [];
    const all = gates.map((gate, index) =>
      queue.run(async () => {
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

  it('goes on after work that failed', async () => {
    const queue = new SerialQueue();
    const failed = rejectionOf(queue.run(() => Promise.reject(new Error('out of luck'))));
    expect(await queue.run(() => Promise.resolve('next'))).to.equal('next');
    expect(await failed).to.include({ message: 'out of luck' });
  });

  it('begins the next work beside one that lasts too long', async () => {
    const queue = new SerialQueue(1);
    const gate = new Gate();
    const stuck = queue.run(() => gate.pass());
    expect(await queue.run(() => Promise.resolve('next'))).to.equal('next');
    gate.open();
    await stuck;
  });
});
