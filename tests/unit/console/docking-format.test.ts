import { expect } from 'chai';
import { formatAffinity, formatDistance } from '../../../presentation/console/jobs/docking-format.ts';

describe('Numbers of a docking', () => {
  it('are affinities with two digits and a real minus sign', () => {
    expect([-13.2, -7, 0.004, 1.5].map(formatAffinity)).to.deep.equal(['−13.20', '−7.00', '0.00', '1.50']);
  });

  it('are distances with their unit', () => {
    expect(formatDistance(2.96)).to.equal('3.0 Å');
  });
});
