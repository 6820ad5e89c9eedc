import { expect } from 'chai';
import { reasonToHalt, type FleetFailures } from '../../../domain/fleet/halting-rule.ts';

const reason = (facts: Partial<FleetFailures>): string | null =>
  reasonToHalt({ wave: 1, errorBudget: 0, accepted: 0, failed: 0, failedCanaries: 0, ...facts });

describe('A fleet run', () => {
  it('goes on while nothing has failed', () => {
    expect(reason({})).to.equal(null);
    expect(reason({ wave: 0 })).to.equal(null);
  });

  it('halts when a canary fails, whatever the error budget', () => {
    expect(reason({ wave: 0, errorBudget: 100, failed: 1, failedCanaries: 1 })).to.equal('a canary failed');
  });

  it('does not halt in a later wave because a canary failed, within the error budget', () => {
    expect(reason({ wave: 1, errorBudget: 1, failed: 1, failedCanaries: 1 })).to.equal(null);
  });

  it('goes on until the failures exceed the error budget', () => {
    const budget = { errorBudget: 2 };
    expect([1, 2].map((failed) => reason({ ...budget, failed }))).to.deep.equal([null, null]);
    expect(reason({ ...budget, failed: 3 })).to.equal('3 organizations failed, and the error budget is 2');
    expect(reason({ failed: 1 })).to.equal('1 organizations failed, and the error budget is 0');
  });

  it('counts failures that an operator accepted no more', () => {
    expect(reason({ accepted: 3, failed: 3, errorBudget: 0 })).to.equal(null);
    expect(reason({ accepted: 3, failed: 4, errorBudget: 1 })).to.equal(null);
    expect(reason({ accepted: 3, failed: 5, errorBudget: 1 })).to.equal(
      '2 organizations failed, and the error budget is 1',
    );
    expect(reason({ wave: 0, accepted: 1, failed: 1, failedCanaries: 1 })).to.equal(null);
    expect(reason({ wave: 0, accepted: 1, failed: 2, failedCanaries: 2 })).to.equal('a canary failed');
    // A retry has made accepted ones wait again.
    expect(reason({ accepted: 3, failed: 1, failedCanaries: 1, wave: 0 })).to.equal(null);
  });
});
