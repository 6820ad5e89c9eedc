import { expect } from 'chai';
import { binEdges } from '../../../domain/jobs/affinity-histogram.ts';

describe('Bins of affinities', () => {
  it('begin at round numbers and hold both ends of the range', () => {
    expect(binEdges({ lowest: -7.31, highest: -7.02 }, 10)).to.deep.equal([
      -7.35, -7.3, -7.25, -7.2, -7.15, -7.1, -7.05, -7,
    ]);
    expect(binEdges({ lowest: -12.9, highest: -5.1 }, 10)).to.deep.equal([
      -13, -12, -11, -10, -9, -8, -7, -6, -5,
    ]);
  });

  it('have an edge above the highest score, also where that is a round number', () => {
    expect(binEdges({ lowest: -8, highest: -7 }, 4)).to.deep.equal([-8, -7.5, -7, -6.5]);
    expect(binEdges({ lowest: -7.3, highest: -7.3 }, 60)).to.deep.equal([-7.3, -7.25]);
  });

  it('are the numbers that a request would name', () => {
    const edges = binEdges({ lowest: -8.6, highest: -6.4 }, 24);
    expect(edges.map(String).filter((edge) => edge.length > 4)).to.deep.equal([]);
  });

  it('leave out what cannot be', () => {
    expect(binEdges({ lowest: -357, highest: -7 }, 20)).to.deep.equal(
      binEdges({ lowest: -25, highest: -7 }, 20),
    );
    expect(binEdges({ lowest: 3, highest: 1e300 }, 20)).to.deep.equal(
      binEdges({ lowest: 0, highest: 0 }, 20),
    );
  });

  it('are never more than wanted, and hold every score between the ends', () => {
    for (let lowest = -2500; lowest <= 0; lowest += 37) {
      for (let highest = lowest; highest <= 0; highest += 53) {
        for (const most of [2, 7, 60]) {
          const edges = binEdges({ lowest: lowest / 100, highest: highest / 100 }, most);
          expect(edges.length - 1, `${lowest} to ${highest}`).to.be.within(1, most);
          expect(edges[0]).to.be.at.most(lowest / 100);
          expect(edges.at(-1)).to.be.above(highest / 100);
        }
      }
    }
  });
});
