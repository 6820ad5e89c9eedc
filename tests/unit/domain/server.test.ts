import { expect } from 'chai';
import {
  DEFAULT_SERVER,
  labelProblems,
  MAX_LABELS,
  parseServerId,
  SERVER_MOVES,
  SERVER_STATUSES,
  serverIdProblem,
} from '../../../domain/databases/server.ts';
import { ValidationError } from '../../../domain/validation-error.ts';

describe('The id of a server', () => {
  for (const id of ['a', 'default', 'eu_2', 'a1', 'a_', `a${'b'.repeat(29)}`]) {
    it(`may be ${id}`, () => {
      expect(parseServerId(id)).to.equal(id);
    });
  }

  for (const id of ['', '1a', '_a', 'A', 'eu-2', 'eu.2', 'é', 'a b', 'a\n', '\na', `a${'b'.repeat(30)}`]) {
    it(`is not ${JSON.stringify(id)}`, () => {
      expect(() => parseServerId(id, 'placement.server_id'))
        .to.throw(ValidationError)
        .with.nested.property('issues[0]')
        .that.includes({ path: 'placement.server_id' });
    });
  }

  it('is not that of the metadata database, which is a server of its own in reports', () => {
    expect(serverIdProblem('metadata')).to.equal('is reserved');
  });

  it('is "default" for the server of DB_RESULTS_DB_TEMPLATE', () => {
    expect(parseServerId('default')).to.equal(DEFAULT_SERVER);
  });
});

describe('The status of a server', () => {
  it('may follow every other, and never itself', () => {
    for (const status of SERVER_STATUSES) {
      expect(SERVER_MOVES[status]).to.have.members(SERVER_STATUSES.filter((other) => other !== status));
    }
  });
});

describe('The labels of a server', () => {
  const numbered = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`l${n}`, 'x']));

  it('have short names and values without white space', () => {
    const labels = { region: 'eu-central_1.b', 'tier.of-2': '2', [`a${'b'.repeat(39)}`]: 'x'.repeat(60) };
    expect(labelProblems({})).to.deep.equal([]);
    expect(labelProblems(labels)).to.deep.equal([]);
    const problems = labelProblems({
      Region: 'eu',
      '2nd': 'x',
      region: '',
      tier: 'a b',
      zone: 'x'.repeat(61),
    });
    expect(problems.map(({ name }) => name)).to.deep.equal(['Region', '2nd', 'region', 'tier', 'zone']);
    expect(problems[0]?.message).to.match(/^must be named by/);
    expect(problems[2]?.message).to.match(/^must be 1 to 60/);
  });

  it('are not many', () => {
    expect(labelProblems(numbered(MAX_LABELS))).to.deep.equal([]);
    expect(labelProblems(numbered(MAX_LABELS + 1))).to.deep.equal([
      { name: null, message: 'must be at most 20' },
    ]);
  });
});
