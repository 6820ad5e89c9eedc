import { expect } from 'chai';
import {
  formatAffinity,
  formatDistance,
  formatSeconds,
} from '../../../presentation/console/jobs/docking-format.ts';

describe('Numbers of a docking', () => {
  it('are affinities with two digits and a real minus sign', () => {
    expect([-13.2, -7, 0.004, 1.5].map(formatAffinity)).to.deep.equal(['−13.20', '−7.00', '0.00', '1.50']);
  });

  it('are distances with their unit', () => {
    expect(formatDistance(2.96)).to.equal('3.0 Å');
  });

  it('are durations in at most two units', () => {
    expect([0, 41.4, 59.6, 250, 3600, 7500, 90_000, 3600 * 24 * 3].map(formatSeconds)).to.deep.equal([
      '0 s',
      '41 s',
      '1 min',
      '4 min 10 s',
      '1 h',
      '2 h 5 min',
      '1 d 1 h',
      '3 d',
    ]);
  });
});
