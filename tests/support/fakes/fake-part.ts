import type { PagePart, PartRequest } from '../../../domain/page.ts';

/** Cuts the items that follow a key into the part that is wanted, by their sizes as JSON. */
export const fakePart = <Item, Key>(
  following: readonly Item[],
  { limit, maxBytes = Infinity }: PartRequest<Key>,
  keyOf: (item: Item) => Key,
): PagePart<Item, Key> => {
  const items: Item[] = [];
  let bytes = 0;
  for (const item of following) {
    const size = JSON.stringify(item).length;
    if (items.length === limit || bytes + size > maxBytes) {
      const last = items.at(-1);
      return { items, next: last === undefined ? null : keyOf(last), bytes, followingBytes: size };
    }
    items.push(item);
    bytes += size;
  }
  return { items, next: null, bytes, followingBytes: null };
};
