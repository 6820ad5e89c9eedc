import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { documentOfRoutes, firstLineOf, SCHEMA_FILE } from './client-schema.ts';

describe("the console's types of the API", () => {
  it('are those of the routes of today (else: npm run client)', () => {
    const [firstLine] = readFileSync(SCHEMA_FILE, 'utf8').split('\n', 1);
    expect(firstLine).to.equal(firstLineOf(documentOfRoutes()));
  });
});
