import { expect } from 'chai';
import { once } from '../../../infrastructure/timing/once.ts';
import { rejectionOf } from '../../support/gate.ts';

describe('what is asked once', () => {
  it('is one answer for all, and asked again only after a failure', async () => {
    let asked = 0;
    const answer = once(async () => {
      asked += 1;
      if (asked === 1) throw new Error('no answer');
      return asked;
    });

    const failures = await Promise.all([rejectionOf(answer()), rejectionOf(answer())]);

    expect(failures[0]).to.equal(failures[1]);
    expect(await Promise.all([answer(), answer()])).to.deep.equal([2, 2]);
    expect(await answer()).to.equal(2);
  });
});
