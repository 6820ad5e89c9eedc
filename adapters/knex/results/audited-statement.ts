import type { Knex } from 'knex';
import { sql, statement, type SqlQuery } from '../statement.ts';

/** The values of a write, and the JSON of its `WriteNote`. */
export type Audited<Values> = Values & { readonly note: string };

/**
 * A write and its entry in the outbox of the audit trail, in one statement and one round trip: both happen or neither. A
 * write of no row (a conflict that is ignored) leaves no entry.
 *
 * @param entity what the audit trail calls the row, and the field that identifies it
 * @param build the write; it must return the identifying field, and whatever the caller wants back
 */
export const auditedStatement = <Values extends object, Row>(
  name: string,
  entity: { readonly type: string; readonly idField: string },
  build: (p: (key: keyof Values & string) => Knex.Value) => Knex.QueryBuilder,
): ((values: Audited<Values>) => SqlQuery<Row>) =>
  statement<Audited<Values>, Row>(
    name,
    (p) =>
      sql.raw(
        `with written as (?), audited as (
         insert into audit_outbox (action, entity_type, entity_id, details, user_id, request_id, address)
         select note.action, '${entity.type}', written."${entity.idField}"::text, note.details,
           note."userId", note."requestId", note.address
         from written, jsonb_to_record(?::jsonb) as note
           (action text, details jsonb, "userId" text, "requestId" text, address text)
       )
       select * from written`,
        [build(p), p('note')],
      ),
    { isAudited: true },
  );

/** The beginning of what notes several rows at once: each has its own `note`, a JSON of `WriteNote`. */
export const insertNotes = (entityType: string, idColumn: string): string =>
  `insert into audit_outbox (action, entity_type, entity_id, details, user_id, request_id, address)
       select note ->> 'action', '${entityType}', ${idColumn}::text, note -> 'details',
         note ->> 'userId', note ->> 'requestId', note ->> 'address'`;
