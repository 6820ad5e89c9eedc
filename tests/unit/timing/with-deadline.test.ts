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
});
