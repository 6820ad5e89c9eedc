import type { Knex } from 'knex';
import type { PagePart, PartRequest } from '../../domain/page.ts';
import type { Columns } from './columns.ts';
import { sql, statement, type SqlQuery } from './statement.ts';

/** A table whose rows may be large, as a keyset list. */
export interface SizedList {
  readonly table: string;
  readonly columns: Columns<string>;
  /** What stands for a column in the answer, by its field. */
  readonly shown?: Columns<string>;
  /** Columns of text among them whose length counts. */
  readonly texts?: readonly string[];
  /** Fields of any size: `jsonb` columns, which are returned as text. */
  readonly json: Columns<string>;
  /** Filters that are no equality with a column: the column and the comparison, by the name of the filter. */
  readonly ranges?: Readonly<Record<string, readonly [column: string, operator: '<' | '>' | '>=']>>;
  /** What an index has in place of a column of the key: an expression of a value, and the type of such a value. */
  readonly indexed?: Readonly<Record<string, { readonly type: string; of(value: string): string }>>;
  /** The columns of the key, from the most significant. */
  readonly order: readonly string[];
  readonly direction: 'asc' | 'desc';
}

interface Sizes {
  /** Of the row as JSON, about. */
  readonly bytes: number;
  /** False in the row that follows the part: its fields of any size are null. */
  readonly fits: boolean;
}

/** Stands for the small fields of a row with their names, as JSON. */
const SMALL_FIELDS_BYTES = 400;

/** More than any page has. PostgreSQL takes it for a bigint. */
const UNLIMITED_BYTES = Number.MAX_SAFE_INTEGER;

/**
 * Makes the queries of one list, each of which reads a part of a page and measures every row before it is sent. The
 * server walks the index row by row and stops at the limit or when the bytes are spent, so it never converts more than
 * one row too many. `pg_column_size` would be cheaper and wrong: it gives the compressed size. Decision 0033.
 *
 * @param name begins the names of the prepared statements: there is one for each set of filters, with and without a key.
 * Null where callers may combine many filters: then each query is parsed for itself, and a connection keeps none of them
 * @returns a function of the filters (values by columns or names of ranges; null: `is null`) and the wanted part, whose
 * key is given as values of the `order` columns
 */
export const sizedList = <Row>(
  name: string | null,
  list: SizedList,
): ((
  filter: Readonly<Record<string, string | null>>,
  part: PartRequest<readonly string[]>,
) => SqlQuery<Row & Sizes>) => {
  const statements = new Map<string, (values: Record<string, unknown>) => SqlQuery<Row & Sizes>>();
  return (filter, { limit, after, maxBytes = UNLIMITED_BYTES }) => {
    const shape = [
      name ?? '',
      ...Object.entries(filter).map(([column, value]) => (value === null ? `no_${column}` : column)),
      ...(after === null ? [] : ['after']),
    ].join('_');
    let build = statements.get(shape);
    if (build === undefined) {
      build = statement(shape, (p) => partQuery(list, filter, after !== null, p), { readOnly: true });
      statements.set(shape, build);
    }
    const key = Object.fromEntries((after ?? []).map((value, index) => [`after ${index}`, value]));
    const query = build({ ...filter, ...key, limit, maxBytes });
    if (name !== null) return query;
    const { name: _shape, ...unnamed } = query;
    return unnamed;
  };
};

/** Turns the rows of such a query into a part. */
export const toPart = <Row, Item, Key>(
  rows: readonly (Row & Sizes)[],
  toItem: (row: Row) => Item,
  keyOf: (row: Row) => Key,
): PagePart<Item, Key> => {
  const fitting = rows.filter(({ fits }) => fits);
  const following = rows[fitting.length];
  const last = fitting.at(-1);
  return {
    items: fitting.map(({ bytes: _bytes, fits: _fits, ...row }) =>
      // What is left of a row and its sizes is the row.
      toItem(row as unknown as Row),
    ),
    next: following === undefined || last === undefined ? null : keyOf(last),
    bytes: fitting.reduce((sum, { bytes }) => sum + bytes, 0),
    followingBytes: following?.bytes ?? null,
  };
};

type Placeholder = (key: string) => Knex.Value;

const partQuery = (
  list: SizedList,
  filter: Readonly<Record<string, string | null>>,
  isContinued: boolean,
  p: Placeholder,
): Knex.Raw => {
  const { table, columns, shown = {}, texts = [], json, ranges = {}, indexed = {}, order, direction } = list;
  const after = direction === 'asc' ? '>' : '<';
  const sorted = (column: string, value: string) => indexed[column]?.of(value) ?? value;
  const placeholder = (column: string) => {
    const type = indexed[column]?.type;
    return sorted(column, type === undefined ? '?' : `?::${type}`);
  };
  const key = (prefix: string) => order.map((column) => sorted(column, prefix + column)).join(', ');
  const rows = () => {
    const query = sql(table)
      .select('*')
      .orderByRaw(order.map((column) => `${sorted(column, column)} ${direction}`).join(', '))
      .limit(1);
    for (const [name, value] of Object.entries(filter)) {
      const [column, operator] = ranges[name] ?? [name, '='];
      if (value === null) query.whereNull(column);
      else query.where(column, operator, p(name));
    }
    return query;
  };
  const first = rows();
  if (isContinued)
    first.whereRaw(
      `(${key('')}) ${after} (${order.map(placeholder).join(', ')})`,
      order.map((_, index) => p(`after ${index}`)),
    );
  const following = rows().whereRaw(`(${key('')}) ${after} (${key('page.')})`);
  const kept = [...new Set([...Object.values(columns), ...order])];
  const values = Object.values(json);
  const lengths = [
    ...texts.map((column) => `coalesce(octet_length(source.${column}), 0)`),
    ...values.map((column) => `coalesce(octet_length(texts.${column}), 0)`),
  ];
  // Without `offset 0` the server would convert each value twice: once for its size and once more to send it.
  const measured = `select ${kept.map((column) => `source.${column}`).join(', ')}, texts.*,
      ${[SMALL_FIELDS_BYTES, ...lengths].join(' + ')} as bytes
    from (?) as source cross join lateral
      (select ${values.map((column) => `source.${column}::text as ${column}`).join(', ')} offset 0) as texts`;
  const fields = [
    ...Object.entries(columns).map(([field, column]) => `${shown[field] ?? column} as "${field}"`),
    ...Object.entries(json).map(([field, column]) => `case when fits then ${column} end as "${field}"`),
  ];
  return sql.raw(
    `with recursive page as (
       select item.*, 1 as number, item.bytes::bigint as total from (${measured}) as item
       union all
       select item.*, page.number + 1, page.total + item.bytes from page cross join lateral (${measured}) as item
       where page.number <= ? and page.total <= ?
     )
     select ${fields.join(', ')}, bytes, fits
     from (select *, number <= ? and total <= ? as fits from page) as measured
     order by number`,
    [first, following, p('limit'), p('maxBytes'), p('limit'), p('maxBytes')],
  );
};
