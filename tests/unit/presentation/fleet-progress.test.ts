import { expect } from 'chai';
import type { FleetProgress } from '../../../application/ports/fleet/fleet-ledger.ts';
import { Pace } from '../../../presentation/cli/fleet-progress.ts';

const TOTAL = 101;

const progress = (wave: number, done: number): FleetProgress => ({
  run: {
    runId: 1,
    kind: 'migrate',
    targetVersion: 2,
    wholeFleet: true,
    state: 'running',
    reason: null,
    wave,
    errorBudget: 0,
    createdAt: new Date(0),
    updatedAt: new Date(0),
    serviceSchemaVersion: null,
    finishedAt: null,
  },
  organizations: TOTAL,
  counts: { pending: TOTAL - done, running: 0, deferred: 0, done, failed: 0 },
  waves: 5,
});

describe('the estimate of how long a run takes', () => {
  it('is not made from canaries, which go alone, nor from the first moments of a wave', () => {
    const pace = new Pace();
    expect(pace.measure(progress(0, 0), 0)).to.equal(null);
    expect(pace.measure(progress(0, 1), 4000)).to.equal(null);
    expect(pace.measure(progress(1, 1), 4100)).to.equal(null);
    expect(pace.measure(progress(1, 5), 4400)).to.equal(null);
    expect(pace.measure(progress(1, 5), 9999), 'too few').to.equal(null);
  });

  it('is what the rest takes at the rate of the waves so far', () => {
    const pace = new Pace();
    pace.measure(progress(0, 0), 0);
    pace.measure(progress(1, 1), 4000);
    expect(pace.measure(progress(1, 21), 6000)).to.deep.equal({ perSecond: 10, secondsLeft: 8 });
    expect(pace.measure(progress(2, 61), 10_000)).to.deep.equal({ perSecond: 10, secondsLeft: 4 });
  });

  it('is of this runner: a run that was resumed is measured from then on', () => {
    const pace = new Pace();
    expect(pace.measure(progress(3, 61), 0)).to.equal(null);
    expect(pace.measure(progress(3, 81), 1000)).to.deep.equal({ perSecond: 20, secondsLeft: 1 });
  });
});
