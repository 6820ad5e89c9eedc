import { expect } from 'chai';
import {
  histogramGeometry,
  jobsWithin,
  settledRange,
  ticksBetween,
} from '../../../presentation/console/campaigns/histogram-geometry.ts';

const bins = { edges: [-12, -11, -10, -9], counts: [1, 1000, 0] };
const size = { width: 300, height: 100 };

describe('The histogram of affinities', () => {
  it('has the strongest binders at the left and the largest bin at full height', () => {
    const { bars } = histogramGeometry(bins, size) ?? { bars: [] };

    expect(bars.map(({ x, width }) => [x, width])).to.deep.equal([
      [0, 100],
      [100, 100],
      [200, 100],
    ]);
    expect(bars[1]).to.include({ y: 0, height: 100, from: -11, to: -10 });
    expect(bars[2]).to.include({ height: 0 });
  });

  it('shows a single job among a thousand', () => {
    expect(histogramGeometry(bins, size)?.bars[0]?.height).to.equal(2);
  });

  it('takes a place in the drawing to the nearest edge of a bin', () => {
    const geometry = histogramGeometry(bins, size);

    expect([-50, 40, 60, 149, 151, 900].map((x) => geometry?.toEdge(x))).to.deep.equal([
      -12, -12, -11, -11, -10, -9,
    ]);
    expect(geometry?.toX(-10)).to.equal(200);
  });

  it('has a range whose sides are open where they would leave nothing out', () => {
    const open = { min: undefined, max: undefined };

    expect(settledRange({ min: -12, max: -9 }, bins)).to.deep.equal(open);
    expect(settledRange({ min: -20, max: 3 }, bins)).to.deep.equal(open);
    expect(settledRange({ min: -11, max: undefined }, bins)).to.deep.equal({ min: -11, max: undefined });
    // A limit that is dragged past the other one.
    expect(settledRange({ min: -10, max: -11 }, bins)).to.deep.equal({ min: -11, max: -10 });
  });

  it('counts the jobs of a range; those beyond the bars where that side is open', () => {
    const all = { ...bins, below: 7, above: 5 };

    expect(jobsWithin({ min: undefined, max: undefined }, all)).to.equal(1013);
    expect(jobsWithin({ min: -11, max: undefined }, all)).to.equal(1005);
    expect(jobsWithin({ min: undefined, max: -11 }, all)).to.equal(8);
    expect(jobsWithin({ min: -11, max: -10 }, all)).to.equal(1000);
  });

  it('is none without bins', () => {
    expect(histogramGeometry({ edges: [], counts: [] }, size)).to.equal(null);
    expect(histogramGeometry({ edges: [-1], counts: [] }, size)).to.equal(null);
  });

  it('has round numbers below it', () => {
    expect(ticksBetween(-12.3, -6.1, 7)).to.deep.equal([-12, -11, -10, -9, -8, -7]);
    expect(ticksBetween(-0.3, 0, 4)).to.deep.equal([-0.3, -0.2, -0.1, 0].map((tick) => tick || 0));
    expect(ticksBetween(-25, 0, 5)).to.deep.equal([-25, -20, -15, -10, -5, 0].map((tick) => tick || 0));
  });
});
