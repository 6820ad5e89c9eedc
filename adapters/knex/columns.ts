import type { Knex } from 'knex';
import { sql } from './statement.ts';

/** The columns of a table by the fields that they keep: `{ jobId: 'job_id' }`. */
export type Columns<Field extends string> = Readonly<Record<Field, string>>;

/** Selects or returns the columns under the names of their fields, so that a row has the fields of the domain. */
export const selectList = (columns: Columns<string>): readonly string[] =>
  Object.entries(columns).map(([field, column]) => `${column} as ${field}`);

/** As `selectList`, of JSON columns, whose values come as text and are not parsed. */
export const selectJsonTexts = (columns: Columns<string>): readonly Knex.Raw[] =>
  Object.entries(columns).map(([field, column]) => sql.raw('??::text as ??', [column, field]));

/** What an insert writes into the columns: the value of each one's field. */
export const insertList = <Field extends string>(
  columns: Columns<Field>,
  valueOf: (field: Field) => Knex.Value,
): Readonly<Record<string, Knex.Value>> =>
  // The table has no other keys than its fields.
  Object.fromEntries((Object.keys(columns) as Field[]).map((field) => [columns[field], valueOf(field)]));

/** As `selectList`, within a text. @param prefix of each column, such as the name of its table and a dot */
export const selectText = (columns: Columns<string>, prefix = ''): string =>
  Object.entries(columns)
    .map(([field, column]) => `${prefix}${column} as "${field}"`)
    .join(', ');
