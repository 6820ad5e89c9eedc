import { expect } from 'chai';
import {
  DEMAND_WINDOW_MS,
  isSpareWanted,
  SURPLUS_WINDOW_MS,
  wantedSpares,
} from '../../../domain/databases/spare-demand.ts';

describe('The demand for spares', () => {
  it('is one for each newcomer, never below the minimum and never above the maximum', () => {
    const demand = { min: 2, max: 5 };
    const wanted = [0, 1, 2, 3, 5, 6, 1000].map((newcomers) => wantedSpares(demand, newcomers));
    expect(wanted).to.deep.equal([2, 2, 2, 3, 5, 5, 5]);
  });

  it('is nothing when the maximum is nothing, whatever the minimum and the newcomers', () => {
    for (const min of [0, 3]) expect(wantedSpares({ min, max: 0 }, 10)).to.equal(0);
  });

  it('asks for another spare as long as fewer stand ready than are wanted', () => {
    const demand = { min: 1, max: 3 };
    const asked = (newcomers: number) =>
      [0, 1, 2, 3, 4].map((ready) => isSpareWanted(demand, { ready, newcomers }));
    expect(asked(0)).to.deep.equal([true, false, false, false, false]);
    expect(asked(2)).to.deep.equal([true, true, false, false, false]);
    expect(asked(9)).to.deep.equal([true, true, true, false, false]);
  });

  it('counts newcomers longer for keeping spares than for building them', () => {
    expect(SURPLUS_WINDOW_MS).to.be.above(DEMAND_WINDOW_MS);
  });
});
