import { expect } from 'chai';
import type { Page, PageRequest } from '../../domain/page.ts';

/** All items of a list, a few at a time. */
export const inPages = async <Item>(
  list: (page: PageRequest<string>) => Promise<Page<Item, string>>,
  limit = 2,
): Promise<readonly Item[]> => {
  const items: Item[] = [];
  let after: string | null = null;
  do {
    const page: Page<Item, string> = await list({ limit, after });
    expect(page.items.length).to.be.at.most(limit);
    items.push(...page.items);
    after = page.next;
  } while (after !== null);
  return items;
};
