import type { Knex } from 'knex';
import { sql, statement, type SqlQuery } from '../statement.ts';

/** Of a write: what it writes, and the JSON of its `WriteNote`. */
export type Audited<Values> = Values & { readonly note: string };

/**
 * A write and its entry in the outbox of the audit trail, in one statement: both or neither, in one round trip. A write
 * that writes no row (a conflict that is ignored) leaves no entry.
 *
 * @param entity what is written, as the trail calls it, and the column that identifies the row
 * @param build has to return all that is to be returned
 */
export const auditedStatement = <Values extends object, Row>(
  name: string,
  entity: { readonly type: string; readonly idColumn: string },
  build: (p: (key: keyof Values & string) => Knex.Value) => Knex.QueryBuilder,
): ((values: Audited<Values>) => SqlQuery<Row>) =>
  statement<Audited<Values>, Row>(
    name,
    (p) =>
      sql.raw(
        `with written as (?), audited as (
         insert into audit_outbox (action, entity_type, entity_id, details, user_id, request_id, address)
         select note.action, '${entity.type}', written.${entity.idColumn}::text, note.details,
           note."userId", note."requestId", note.address
         from written, jsonb_to_record(?::jsonb) as note
           (action text, details jsonb, "userId" text, "requestId" text, address text)
       )
       select * from written`,
        [build(p), p('note')],
      ),
    { isAudited: true },
  );
