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

/** Which part of a page is wanted, from a list whose rows may be large. */
export interface PartRequest<Key> extends PageRequest<Key> {
  /** No item is read that would bring the part above this. Default: no limit. */
  readonly maxBytes?: number;
}

/** Items that fit into `maxBytes`; none, when the first does not fit. */
export interface PagePart<Item, Key> extends Page<Item, Key> {
  /** Of the items as JSON, about. */
  readonly bytes: number;
  /** The size of the item that follows, which was not read; null when none follows. */
  readonly followingBytes: number | null;
}

/** A page ends with the item that would bring it above this. It holds at least one item, however large that is. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** Most pages are no larger. What exceeds it is read in a second part, once its size is known. */
export const FIRST_PART_BYTES = 128 * 1024;

/**
 * Reads one page of a list whose rows may be large: at most `limit` items, and about `MAX_PAGE_BYTES`.
 *
 * @param list reads one part
 * @param reserve called before each part is read, with the bytes that the page may then have. It may throw.
 */
export const readPage = async <Item, Key>(
  list: (part: PartRequest<Key>) => Promise<PagePart<Item, Key>>,
  { limit, after }: PageRequest<Key>,
  reserve: (bytes: number) => void,
): Promise<Page<Item, Key>> => {
  const items: Item[] = [];
  let bytes = 0;
  let next = after;
  let maxBytes = FIRST_PART_BYTES;
  for (;;) {
    reserve(bytes + maxBytes);
    const part = await list({ limit: limit - items.length, after: next, maxBytes });
    items.push(...part.items);
    bytes += part.bytes;
    next = part.next ?? next;
    const { followingBytes } = part;
    if (followingBytes === null) return { items, next: null };
    if (items.length === limit) return { items, next };
    maxBytes = items.length === 0 ? Math.max(MAX_PAGE_BYTES, followingBytes) : MAX_PAGE_BYTES - bytes;
    if (followingBytes > maxBytes) return { items, next };
  }
};

const PAGE_SIZE = 1000;

type ListInPages<Item> = (page: PageRequest<string>) => Promise<Page<Item, string>>;

/** The pages of a list, which may change while they are read: each is asked for when the one before has been dealt with. */
export async function* pagesOf<Item>(list: ListInPages<Item>): AsyncGenerator<readonly Item[]> {
  let after: string | null = null;
  do {
    const page: Page<Item, string> = await list({ limit: PAGE_SIZE, after });
    yield page.items;
    after = page.next;
  } while (after !== null);
}

/** As `pagesOf`, one item after another. */
export async function* allOf<Item>(list: ListInPages<Item>): AsyncGenerator<Item> {
  for await (const items of pagesOf(list)) yield* items;
}
