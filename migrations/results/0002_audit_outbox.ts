import type { Knex } from 'knex';

/** Entries of the audit trail, written with the change they tell of; carried to the metadata database from here. */
export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    create table audit_outbox (
      position bigint generated always as identity constraint audit_outbox_pkey primary key,
      -- By which the trail knows an entry that comes a second time.
      audit_id uuid not null default gen_random_uuid(),
      user_id text,
      action text not null,
      entity_type text not null,
      entity_id text not null,
      details jsonb not null,
      request_id text,
      address text,
      ts timestamptz(3) not null default now()
    );
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw('drop table audit_outbox');
};
