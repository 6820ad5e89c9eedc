import { expect } from 'chai';
import {
  allOf,
  FIRST_PART_BYTES,
  MAX_PAGE_BYTES,
  readPage,
  toPage,
  type Page,
  type PagePart,
  type PartRequest,
} from '../../../domain/page.ts';
import { rejectionOf } from '../../support/gate.ts';
import { Random } from '../../support/random.ts';

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

describe('a page of a list whose rows may be large', () => {
  /** Rows of these sizes, with their index as key; `asked` holds what each part was asked for. */
  const listOf = (sizes: readonly number[]) => {
    const asked: PartRequest<number>[] = [];
    const list = async (part: PartRequest<number>): Promise<PagePart<number, number>> => {
      asked.push(part);
      const first = part.after === null ? 0 : part.after + 1;
      const items: number[] = [];
      let bytes = 0;
      for (const [index, size] of [...sizes.entries()].slice(first)) {
        if (items.length === part.limit || bytes + size > (part.maxBytes ?? Infinity))
          return { items, next: items.at(-1) ?? null, bytes, followingBytes: size };
        items.push(index);
        bytes += size;
      }
      return { items, next: null, bytes, followingBytes: null };
    };
    return { list, asked };
  };
  const reserved: number[] = [];
  const reserve = (bytes: number): void => void reserved.push(bytes);
  beforeEach(() => reserved.splice(0));
  const walk = async (sizes: readonly number[], limit: number): Promise<readonly (readonly number[])[]> => {
    const { list } = listOf(sizes);
    const pages: (readonly number[])[] = [];
    let after: number | null = null;
    do {
      const page: Page<number, number> = await readPage(list, { limit, after }, reserve);
      pages.push(page.items);
      after = page.next;
    } while (after !== null);
    return pages;
  };
  const MIB = 1024 * 1024;

  it('of small rows is read at once, up to its limit', async () => {
    const { list, asked } = listOf(Array.from({ length: 7 }, () => 500));
    expect(await readPage(list, { limit: 5, after: null }, reserve)).to.deep.equal({
      items: [0, 1, 2, 3, 4],
      next: 4,
    });
    expect(await readPage(list, { limit: 5, after: 4 }, reserve)).to.deep.equal({
      items: [5, 6],
      next: null,
    });
    expect(asked).to.have.length(2);
    expect(reserved).to.deep.equal([FIRST_PART_BYTES, FIRST_PART_BYTES]);
  });

  it('ends before it exceeds its bytes, and reserves what it may have before it reads more', async () => {
    const { list, asked } = listOf([1000, MIB, MIB, MIB, MIB, 10]);
    expect(await readPage(list, { limit: 200, after: null }, reserve)).to.deep.equal({
      items: [0, 1, 2, 3],
      next: 3,
    });
    expect(asked.map(({ limit, after }) => [limit, after])).to.deep.equal([
      [200, null],
      [199, 0],
    ]);
    expect(reserved).to.deep.equal([FIRST_PART_BYTES, MAX_PAGE_BYTES]);
  });

  it('holds one row at least, also one that is larger than a page', async () => {
    expect(await walk([5 * MIB, 10, 9 * MIB], 200)).to.deep.equal([[0], [1], [2]]);
    expect(Math.max(...reserved)).to.equal(9 * MIB);
  });

  it('is one of pages that give each row once, whatever their sizes', async () => {
    const random = new Random(33);
    for (let round = 0; round < 200; round += 1) {
      const sizes = Array.from({ length: random.below(12) }, () =>
        random.chance(0.5) ? 1 + random.below(1000) : 1 + random.below(6 * MIB),
      );
      const limit = 1 + random.below(9);
      const pages = await walk(sizes, limit);
      expect(pages.flat(), `sizes ${sizes.join()}`).to.deep.equal([...sizes.keys()]);
      for (const page of pages) {
        const bytes = page.reduce((sum, index) => sum + (sizes[index] ?? 0), 0);
        expect(page.length).to.be.within(Math.min(1, sizes.length), limit);
        if (page.length > 1) expect(bytes).to.be.at.most(MAX_PAGE_BYTES);
      }
    }
  });

  it('is not read when there is no room for it', async () => {
    const { list, asked } = listOf([10, MIB]);
    const refuse = (bytes: number): void => {
      if (bytes > FIRST_PART_BYTES) throw new Error('no room');
    };
    expect(await rejectionOf(readPage(list, { limit: 2, after: null }, refuse))).to.be.instanceOf(Error);
    expect(asked, 'only its first part').to.have.length(1);
  });
});
