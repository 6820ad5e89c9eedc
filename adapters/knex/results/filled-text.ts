import type { Knex } from 'knex';
import { sql } from '../statement.ts';

/** A count in a regular expression is none. */
const NAMES = /\{([a-z]\w*)\}/gi;

/**
 * SQL whose `{names}` stand for values, each as often as it is needed.
 *
 * @param p the placeholder of a value; of an unknown name it runs with null
 */
export const filledText = (text: string, p: (key: never) => Knex.Value): Knex.Raw => {
  const keys = Array.from(text.matchAll(NAMES), ([, key]) => key as never);
  return sql.raw(text.replaceAll(NAMES, '?'), keys.map(p));
};
