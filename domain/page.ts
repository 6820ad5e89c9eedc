/** One page of a keyset list. `next` is null on the last page. */
export interface Page<Item, Key> {
  readonly items: readonly Item[];
  readonly next: Key | null;
}

/** Which page is wanted: at most `limit` items that follow `after` in the list's order. */
export interface PageRequest<Key> {
  readonly limit: number;
  readonly after: Key | null;
}

/** Cuts `limit + 1` rows into a page: the row too many proves that another page follows. */
export const toPage = <Item, Key>(
  rows: readonly Item[],
  limit: number,
  keyOf: (item: Item) => Key,
): Page<Item, Key> => {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? keyOf(last) : null };
};

const PAGE_SIZE = 1000;

/** All items of a list, which may change while they are read: a page is asked for when its first item is. */
export async function* allOf<Item>(
  list: (page: PageRequest<string>) => Promise<Page<Item, string>>,
): AsyncGenerator<Item> {
  let after: string | null = null;
  do {
    const page: Page<Item, string> = await list({ limit: PAGE_SIZE, after });
    yield* page.items;
    after = page.next;
  } while (after !== null);
}
