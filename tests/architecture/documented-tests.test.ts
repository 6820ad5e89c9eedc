import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from './project-files.ts';

interface NamedTest {
  readonly file: string;
  readonly title: string;
}

/** As pages under `docs` name a test: its file, and what it says, or the rest of that after a `${…}`. */
const namedTests = (page: string): readonly NamedTest[] =>
  [...page.matchAll(/`(tests\/[^`]+\.test\.ts)`: “([^”]+)”/g)].map(([, file = '', title = '']) => ({
    file,
    title,
  }));

const isThere = ({ file, title }: NamedTest): boolean =>
  existsSync(join(ROOT, file)) && readFileSync(join(ROOT, file), 'utf8').includes(title);

describe('the pages that name the tests of their sentences', () => {
  const pages = readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md'));
  const named = pages.flatMap((page) => namedTests(readFileSync(join(ROOT, 'docs', page), 'utf8')));

  it('name tests that there are', () => {
    expect(named).to.not.be.empty;
    expect(named.filter((test) => !isThere(test))).to.deep.equal([]);
  });

  it('are seen to name one that there is not', () => {
    const [wrong, right] = namedTests(
      '| x | `tests/architecture/documented-tests.test.ts`: “says no' +
        'thing of the kind” |\n`tests/architecture/documented-tests.test.ts`: “name tests that there are”',
    );
    expect([wrong, right].map((test) => test !== undefined && isThere(test))).to.deep.equal([false, true]);
  });
});
