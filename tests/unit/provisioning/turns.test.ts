import { expect } from 'chai';
import { Turns } from '../../../infrastructure/provisioning/turns.ts';
import { Gate, rejectionOf } from '../../support/gate.ts';

describe('turns', () => {
  it('begin in the order they were asked for, each after the end of the one before', async () => {
    const turns = new Turns();
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
    const turns = new Turns();
    const failed = rejectionOf(turns.take(() => Promise.reject(new Error('out of luck'))));
    expect(await turns.take(() => Promise.resolve('next'))).to.equal('next');
    expect(await failed).to.include({ message: 'out of luck' });
  });
});
