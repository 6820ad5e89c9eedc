import type { Knex } from 'knex';
import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import { sql, statement, type SqlQuery } from '../statement.ts';

/** The values of a `WriteNote` under names that no column of results has. */
interface NoteValues {
  readonly noteAction: string;
  readonly noteDetails: string;
  readonly noteUserId: string | null;
  readonly noteRequestId: string | null;
  readonly noteAddress: string | null;
}

const noteValues = ({ action, details, userId, requestId, address }: WriteNote): NoteValues => ({
  noteAction: action,
  noteDetails: JSON.stringify(details),
  noteUserId: userId,
  noteRequestId: requestId,
  noteAddress: address,
});

/**
 * A write and its entry in the outbox of the audit trail, in one statement: both or neither, in one round trip. A write
 * that writes no row (a conflict that is ignored) leaves no entry.
 *
 * @param entity what is written, as the trail calls it, and the column that identifies the row
 * @param build has to return all that is to be returned
 */
export const notedStatement = <Values extends object, Row>(
  name: string,
  entity: { readonly type: string; readonly idColumn: string },
  build: (p: (key: keyof Values & string) => Knex.Value) => Knex.QueryBuilder,
): ((values: Values, note: WriteNote) => SqlQuery<Row>) => {
  const query = statement<Values & NoteValues, Row>(
    name,
    (p) =>
      sql.raw(
        `with written as (?), noted as (
         insert into audit_outbox (action, entity_type, entity_id, details, user_id, request_id, address)
         select ?::text, '${entity.type}', ${entity.idColumn}::text, ?::jsonb, ?::text, ?::text, ?::text from written
       )
       select * from written`,
        [build(p), p('noteAction'), p('noteDetails'), p('noteUserId'), p('noteRequestId'), p('noteAddress')],
      ),
    true,
  );
  return (values, note) => query({ ...values, ...noteValues(note) });
};
