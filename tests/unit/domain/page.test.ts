import { expect } from 'chai';
import { allOf, toPage } from '../../../domain/page.ts';

describe('all of a list', () => {
  const asked: (string | null)[] = [];
  const read = async (ids: readonly string[]): Promise<string[]> => {
    asked.length = 0;
    const all: string[] = [];
    for await (const item of allOf(async ({ limit, after }) => {
      asked.push(after);
      const left = ids.filter((id) => after === null || id > after);
      return toPage(left.slice(0, limit + 1), limit, (id) => id);
    }))
      all.push(item);
    return all;
  };

  it('is read page by page, in its order, each item once', async () => {
    const ids = Array.from({ length: 2500 }, (_, index) => String(10_000 + index));
    expect(await read(ids)).to.deep.equal(ids);
    expect(asked).to.deep.equal([null, '10999', '11999']);
  });

  it('is nothing for an empty list', async () => {
    expect(await read([])).to.deep.equal([]);
    expect(asked).to.deep.equal([null]);
  });
});
