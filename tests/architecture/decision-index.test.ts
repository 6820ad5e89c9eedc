import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT, sourceFiles } from './project-files.ts';

const FOLDER = join(ROOT, 'docs/decisions');

interface Row {
  readonly number: string;
  /** Null: the number was never used. */
  readonly page: string | null;
}

const rowsOf = (index: string): readonly Row[] =>
  [...index.matchAll(/^\| (?:\[(\d{4})\]\(([^)]+)\)|(\d{4})) \|/gm)].map(
    ([, number, page = null, unused = '']) => ({ number: number ?? unused, page }),
  );

const rows = rowsOf(readFileSync(join(FOLDER, 'README.md'), 'utf8'));

describe('the index of decisions', () => {
  it('lists every page, under the number of its file', () => {
    const pages = readdirSync(FOLDER).filter((file) => file !== 'README.md');
    expect(rows.map(({ page }) => page)).to.include.members(pages);
    for (const { number, page } of rows) if (page !== null) expect(page.slice(0, 4)).to.equal(number);
  });

  it('gives each number once, in their order, and leaves none out', () => {
    expect(rows.map(({ number }) => Number(number))).to.deep.equal(rows.map((_, index) => index + 1));
  });

  it('has every decision that the source names', () => {
    const numbers = new Set(rows.filter(({ page }) => page !== null).map(({ number }) => number));
    const named = sourceFiles().flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(/\bDecisions? (\d{4})/g)].map(
        ([, number = '']) => `${number} in ${file}`,
      ),
    );
    expect(named.filter((entry) => !numbers.has(entry.slice(0, 4)))).to.deep.equal([]);
  });

  it('reads rows with a page, and rows of numbers that were never used', () => {
    expect(rowsOf('| [0001](0001-a.md) | x | – | – |\n| 0002 | y |\ntext 0003')).to.deep.equal([
      { number: '0001', page: '0001-a.md' },
      { number: '0002', page: null },
    ]);
  });
});
