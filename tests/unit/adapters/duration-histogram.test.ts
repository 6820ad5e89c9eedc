import { expect } from 'chai';
import { Histogram, Registry } from 'prom-client';
import { DurationHistogram } from '../../../adapters/prometheus/duration-histogram.ts';

describe('DurationHistogram', () => {
  const BUCKETS = [0.001, 0.01, 0.1];
  const OPTIONS = { name: 'wait_seconds', help: 'Waits', buckets: BUCKETS };

  it('is scraped as the histogram of prom-client is, to the letter', async () => {
    const theirs = new Registry();
    const ours = new Registry();
    const expected = new Histogram({ ...OPTIONS, labelNames: ['server', 'outcome'], registers: [theirs] });
    const histogram = new DurationHistogram<'server' | 'outcome'>({ ...OPTIONS, registry: ours });
    for (const labels of [
      { server: 'default', outcome: 'ok' },
      { server: 'a "b"\\\n', outcome: 'error' },
    ]) {
      const series = histogram.addSeries(labels);
      // Below, upon and above the bounds.
      for (const seconds of [0, 0.0005, 0.001, 0.0011, 0.05, 0.1, 0.11, 7]) {
        series.observe(seconds);
        expected.observe(labels, seconds);
      }
    }

    expect(await ours.metrics()).to.equal(await theirs.metrics());
  });

  it('takes a name that no other metric of the registry has', () => {
    const registry = new Registry();
    void new DurationHistogram({ ...OPTIONS, registry });
    expect(() => new DurationHistogram({ ...OPTIONS, registry })).to.throw('already been registered');
  });
});
