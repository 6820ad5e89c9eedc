import type { Knex } from 'knex';

/** What each organization uses, a row a day. */
export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    -- A row is changed every minute while its organization is at work: there is room for its next version beside it.
    create table usage_daily (
      org_id text not null constraint usage_daily_org_id_fkey references organizations,
      -- In UTC.
      day date not null,
      requests bigint not null default 0,
      refusals bigint not null default 0,
      db_ms double precision not null default 0,
      egress_bytes bigint not null default 0,
      jobs bigint not null default 0,
      core_seconds double precision not null default 0,
      -- The most that was measured. Null: it was not measured that day.
      stored_bytes bigint,
      constraint usage_daily_pkey primary key (org_id, day),
      constraint usage_daily_counts_check check (
        requests >= 0 and refusals >= 0 and db_ms >= 0 and egress_bytes >= 0 and jobs >= 0 and core_seconds >= 0
        and stored_bytes >= 0
      )
    ) with (fillfactor = 70);

    -- The last batch of counts that each process has added: one that is sent again is known by its number.
    create table usage_writers (
      instance_id uuid constraint usage_writers_pkey primary key,
      batch bigint not null,
      written_at timestamptz(3) not null default now()
    );
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`drop table usage_daily, usage_writers;`);
};
