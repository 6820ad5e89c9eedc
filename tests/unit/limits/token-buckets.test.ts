import { expect } from 'chai';
import { TokenBuckets } from '../../../application/limits/token-buckets.ts';

describe('TokenBuckets', () => {
  const RATE = { perSecond: 10, burst: 20 };
  let now: number;
  let buckets: TokenBuckets;

  beforeEach(() => {
    now = 1000;
    buckets = new TokenBuckets(() => now);
  });

  const takes = (count: number, key = 'a') =>
    Array.from({ length: count }, () => buckets.take(key, 1, RATE)).filter((waitMs) => waitMs === 0).length;

  it('give their burst at once, and then as much as flows in', () => {
    expect(takes(30)).to.equal(20);
    now += 500;
    expect(takes(30)).to.equal(5);
    now += 3_600_000;
    expect(takes(30), 'no more than the burst after a rest').to.equal(20);
  });

  it('give each key its own', () => {
    expect([takes(30, 'a'), takes(30, 'b')]).to.deep.equal([20, 20]);
  });

  it('give any amount, and are in debt then: they say for how long', () => {
    expect(buckets.take('a', 120, RATE)).to.equal(0);
    expect(buckets.take('a', 1, RATE)).to.equal(10_100);
    now += 10_000;
    expect(buckets.take('a', 1, RATE), 'empty still').to.equal(100);
    now += 100;
    expect(buckets.take('a', 1, RATE)).to.equal(0);
  });

  it('are no worse for having been asked when they were empty', () => {
    expect(takes(1000)).to.equal(20);
    now += 100;
    expect(takes(2)).to.equal(1);
  });

  it('forget whom they have not seen for longest when there are too many', () => {
    takes(30, 'first');
    takes(30, 'second');
    for (let n = 0; n < 49_999; n += 1) buckets.take(`other ${n}`, 1, RATE);
    expect([takes(30, 'second'), takes(30, 'first')]).to.deep.equal([0, 20]);
  });
});
