import { expect } from 'chai';
import { fixedSqlOf } from '../../../infrastructure/fleet/fixed-sql.ts';
import { compareCatalogues } from '../../../infrastructure/fleet/catalogue.ts';
import { explainFailure } from '../../../infrastructure/fleet/migration-failure.ts';
import {
  newerThan,
  stepsBetween,
  UnknownMigrationError,
} from '../../../infrastructure/migrations/migration-steps.ts';
import { DECLARED, fitOf, windowOf } from '../../../infrastructure/migrations/schema-window.ts';

const NAMES = ['0001_a', '0002_b', '0003_c'];
const applied = (...names: string[]) => names.map((name) => ({ name, batch: 1 }));

describe('the steps between two schema versions', () => {
  it('go up in order, down in reverse, and nowhere from where one is', () => {
    expect(stepsBetween(NAMES, applied('0001_a'), 3)).to.deep.equal({ up: ['0002_b', '0003_c'], down: [] });
    expect(stepsBetween(NAMES, applied(...NAMES), 1)).to.deep.equal({ up: [], down: ['0003_c', '0002_b'] });
    expect(stepsBetween(NAMES, applied('0001_a'), 1)).to.deep.equal({ up: [], down: [] });
    expect(stepsBetween(NAMES, [], 0)).to.deep.equal({ up: [], down: [] });
  });

  it('are refused where something is applied that the release does not know', () => {
    expect(() => stepsBetween(NAMES, applied('0001_a', '0009_z'), 3)).to.throw(
      UnknownMigrationError,
      '0009_z',
    );
  });
});

describe('the migrations of a newer release', () => {
  it('come after all that this one has', () => {
    expect(newerThan(NAMES, applied(...NAMES, '0004_d'))).to.deep.equal(['0004_d']);
    expect(newerThan(NAMES, applied(...NAMES))).to.deep.equal([]);
  });

  it('are none where this release has others, or more', () => {
    expect(newerThan(NAMES, applied(...NAMES, '0002_other', '0004_d'))).to.deep.equal([]);
    expect(newerThan(NAMES, applied('0001_a', '0004_d'))).to.deep.equal([]);
  });
});

describe('the text of a migration', () => {
  it('is known when it only tells, by raw statements or by the schema builder', async () => {
    const text = await fixedSqlOf(async (knex) => {
      await knex.raw('create table a ()\n-- the end');
      await knex.schema.alterTable('a', (table) => table.text('note'));
    });
    expect(text).to.equal('create table a ()\n-- the end;\nalter table "a" add column "note" text');
  });

  const UNKNOWN: Readonly<Record<string, Parameters<typeof fixedSqlOf>[0]>> = {
    'looks at rows': async (knex) => {
      const { rows } = await knex.raw<{ rows: object[] }>('select 1');
      for (const _ of rows) await knex.raw('select 2');
    },
    'takes an answer apart': async (knex) => {
      const [first] = await knex('t').select('a');
      await knex.raw(first === undefined ? 'select 1' : 'select 2');
    },
    'sends values': async (knex) => knex('t').insert({ a: 1 }),
    'asks whether a table is there': async (knex) => {
      if (!(await knex.schema.hasTable('t'))) await knex.raw('create table t ()');
    },
    'governs transactions': async (knex) => knex.transaction((nested) => nested.raw('select 1')),
    'is another one each time': async (knex) => knex.raw(`select '${Math.random()}'`),
    throws: async () => {
      throw new Error('not today');
    },
  };
  for (const [what, run] of Object.entries(UNKNOWN)) {
    it(`is not known beforehand when it ${what}`, async () => {
      expect(await fixedSqlOf(run)).to.equal(null);
    });
  }

  it('is empty when nothing is sent', async () => {
    expect(await fixedSqlOf(async () => undefined)).to.equal('');
  });
});

describe('a failed attempt', () => {
  it('is put off when the network or the server is away, and is a failure when the migration throws', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    expect(explainFailure(refused, null)).to.deep.equal({ kind: 'deferred', reason: 'connect ECONNREFUSED' });
    const refusedByAll = Object.assign(new AggregateError([refused, refused]), { code: 'ECONNREFUSED' });
    expect(explainFailure(refusedByAll, null)).to.deep.equal({
      kind: 'deferred',
      reason: 'connect ECONNREFUSED, connect ECONNREFUSED',
    });
    expect(explainFailure(new Error('Connection terminated unexpectedly'), '0002_b').kind).to.equal(
      'deferred',
    );
    expect(explainFailure(new Error('on purpose'), '0002_b')).to.deep.equal({
      kind: 'failed',
      reason: 'migration 0002_b: on purpose',
    });
    expect(explainFailure('odd', null)).to.deep.equal({ kind: 'failed', reason: 'odd' });
  });
});

describe('the comparison of two schemas', () => {
  it('names what is missing, extra and changed, in the order of names', () => {
    const expected = [
      { object: 'column a.x', definition: 'text' },
      { object: 'table a', definition: 'p' },
      { object: 'table b', definition: 'p' },
    ];
    const found = [
      { object: 'table a', definition: 'p' },
      { object: 'column a.x', definition: 'integer' },
      { object: 'column a.y', definition: 'text' },
    ];
    expect(compareCatalogues(expected, found)).to.deep.equal([
      { kind: 'changed', object: 'column a.x', expected: 'text', found: 'integer' },
      { kind: 'extra', object: 'column a.y', expected: null, found: 'text' },
      { kind: 'missing', object: 'table b', expected: 'p', found: null },
    ]);
    expect(compareCatalogues(expected, expected)).to.deep.equal([]);
  });
});

describe('the window of a release', () => {
  it('is inclusive on both sides', () => {
    const window = { oldest: 2, newest: 4 };
    expect([1, 2, 4, 5].map((version) => fitOf(window, version))).to.deep.equal([
      'below',
      'inside',
      'inside',
      'above',
    ]);
  });

  it('holds the release’s own version, and as many after it as declared', () => {
    expect(windowOf(3, { oldest: 2, ahead: 1 })).to.deep.equal({ oldest: 2, newest: 4 });
    expect(windowOf(3, { oldest: 9, ahead: 0 }), 'a release serves what it makes').to.deep.equal({
      oldest: 3,
      newest: 3,
    });
    expect(fitOf(windowOf(DECLARED.oldest), DECLARED.oldest)).to.equal('inside');
  });
});
