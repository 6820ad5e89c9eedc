import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { drawArchitecture, PICTURE } from './draw-pictures.ts';

const ROOT = new URL('../../../', import.meta.url);
const pages = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(new URL('docs/', ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const textOf = (page: string): string => readFileSync(new URL(page, ROOT), 'utf8');

/** Links of a page to files, without what follows a `#`. */
const linksOf = (text: string): readonly string[] =>
  [...text.replaceAll(/```.*?```/gs, '').matchAll(/\]\(([^)\s#]+)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link));

describe('The documents', () => {
  it('link to files that are there', () => {
    const dead = pages.flatMap((page) =>
      linksOf(textOf(page))
        .filter((link) => !existsSync(new URL(link, new URL(page, ROOT))))
        .map((link) => `${page}: ${link}`),
    );
    expect(dead).to.deep.equal([]);
  });

  it('are all named by the index of docs', () => {
    const named = new Set(linksOf(textOf('docs/README.md')));
    const missing = readdirSync(new URL('docs/', ROOT)).filter(
      (name) => name.endsWith('.md') && name !== 'README.md' && !named.has(name),
    );
    expect(missing).to.deep.equal([]);
  });

  it('show the picture that its source draws', async () => {
    expect(readFileSync(PICTURE, 'utf8'), 'npm run picture').to.equal(await drawArchitecture());
  });

  it('are judged by what is a link', () => {
    expect(linksOf('[a](b.md#c) [d](https://e.test) `x`\n```\n[f](g)\n```\n![h](i.svg)')).to.deep.equal([
      'b.md',
      'i.svg',
    ]);
  });
});
