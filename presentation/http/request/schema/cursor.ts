import { z } from 'zod';
import { JsonText } from '../../../../domain/json-text.ts';
import type { Page } from '../../../../domain/page.ts';

const MAX_CURSOR_LENGTH = 512;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** How clients pass the key of a page: opaque, in base64url. */
export interface Cursor<Key> {
  /** A field of the query. Its output is the key; null for the first page. */
  readonly schema: z.ZodType<Key | null, string | undefined>;
  encode(key: Key): string;
}

/**
 * @param parts the key as JSON values; a cursor with other values is refused
 * @param toParts takes the key apart
 * @param toKey puts it together again
 */
export const cursorOf = <Key, Parts>(
  parts: z.ZodType<Parts>,
  toParts: (key: Key) => Parts,
  toKey: (parts: Parts) => Key,
): Cursor<Key> => ({
  schema: z
    .string()
    .max(MAX_CURSOR_LENGTH)
    .regex(BASE64URL)
    .transform((encoded, context): Key => {
      const decoded = parts.safeParse(decode(encoded));
      if (decoded.success) return toKey(decoded.data);
      context.addIssue('is not a cursor of this list');
      return z.NEVER;
    })
    .optional()
    .transform((key) => key ?? null)
    .meta({ description: '`next_cursor` of the page before' }),
  encode: (key) => Buffer.from(JSON.stringify(toParts(key))).toString('base64url'),
});

const decode = (encoded: string): unknown => {
  try {
    return JSON.parse(Buffer.from(encoded, 'base64url').toString());
  } catch {
    return undefined;
  }
};

/** 9999-12-31T23:59:59.999Z, the last moment that RFC 3339 can write. */
const LAST_MOMENT_MS = 253_402_300_799_999;

/** A moment within a key, in milliseconds since 1970. */
export const momentMs = z.int().min(0).max(LAST_MOMENT_MS);

/** For a key that is one string. */
export const textCursor = (pattern: RegExp): Cursor<string> =>
  cursorOf(
    z.string().regex(pattern),
    (key: string) => key,
    (key) => key,
  );

/** @param presentItem gives an object, or `JsonText` */
export const presentPage = <Item, Key>(
  page: Page<Item, Key>,
  presentItem: (item: Item) => object,
  cursor: Cursor<Key>,
): JsonText => {
  const items = page.items.map((item) => {
    const presented = presentItem(item);
    return presented instanceof JsonText ? presented.text : JSON.stringify(presented);
  });
  const next = JSON.stringify(page.next === null ? null : cursor.encode(page.next));
  return new JsonText(`{"items":[${items.join(',')}],"next_cursor":${next}}`);
};
