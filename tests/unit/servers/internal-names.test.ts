import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ResultsUrlTemplate } from '../../../infrastructure/postgres/results-url-template.ts';
import { quarantineName } from '../../../infrastructure/servers/internal-names.ts';

describe('the name of a database that is put aside', () => {
  it('fits beside the longest names that databases may have', () => {
    // PostgreSQL's 63 bytes less the 20 that every organization id may have.
    const urls = ResultsUrlTemplate.parse(`postgres://localhost/${'r'.repeat(43)}{org_id}`);
    for (const why of ['orphan', 'retired'] as const) {
      const name = quarantineName(urls, why, randomUUID());
      expect(Buffer.byteLength(name)).to.be.at.most(63);
      expect(urls.internalLabelOf(name)).to.match(new RegExp(`^${why}\\.[0-9a-f]+$`));
      expect(quarantineName(urls, why, randomUUID())).to.not.equal(name);
    }
  });
});
