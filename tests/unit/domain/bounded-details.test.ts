import { expect } from 'chai';
import { boundedDetails } from '../../../domain/audit/bounded-details.ts';

describe('the details of an audit entry', () => {
  it('stay as they are when they are small', () => {
    const details = { keys: ['a', 'b'], before: { max: 1 }, after: null, uri: `s3://${'x'.repeat(2000)}` };
    expect(boundedDetails(details)).to.equal(details);
  });

  it('are cut where they are large, and say so', () => {
    const keys = Array.from({ length: 100_000 }, (_, n) => `key-${n}`);
    const { keys: kept, is_cut: isCut } = boundedDetails({ keys });
    expect(isCut).to.equal(true);
    expect(kept).to.be.an('array').that.includes('key-0').and.includes('key-99');
    expect((kept as readonly string[]).at(-1)).to.match(/^… and \d{5} more$/);
  });

  it('are cut within a text that is too long, between characters', () => {
    const { name } = boundedDetails({ name: `x${'😀'.repeat(100_000)}` });
    expect(name).to.be.a('string').with.length.below(502);
    expect((name as string).isWellFormed()).to.equal(true);
  });
});
