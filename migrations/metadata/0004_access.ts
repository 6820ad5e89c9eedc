import type { Knex } from 'knex';

export const up = async (knex: Knex): Promise<void> => {
  // No question marks below: Knex takes them for parameters.
  await knex.raw(`
    -- A password that somebody else chose, or that is no longer trusted: good for nothing but choosing another.
    alter table identities add column must_change boolean not null default false;

    -- One login: what its refresh tokens, and the access tokens they bring, have in common.
    create table sessions (
      session_id uuid constraint sessions_pkey primary key,
      user_id uuid not null constraint sessions_user_id_fkey references users on delete cascade,
      -- Null for platform administrators.
      org_id text constraint sessions_org_id_fkey references organizations on delete cascade,
      created_at timestamptz(3) not null default now(),
      expires_at timestamptz(3) not null,
      revoked_at timestamptz(3)
    );
    create index sessions_user_id_idx on sessions (user_id);

    -- Of a token only its hash is kept; a used one stays, to be known again when a thief or a victim brings it back.
    create table refresh_tokens (
      token_hash bytea constraint refresh_tokens_pkey primary key,
      session_id uuid not null constraint refresh_tokens_session_id_fkey references sessions on delete cascade,
      created_at timestamptz(3) not null default now(),
      used_at timestamptz(3)
    );
    create index refresh_tokens_session_id_idx on refresh_tokens (session_id);

    -- Counters of rate-limiter-flexible, in its form. May be lost in a crash: that costs a quarter of an hour of memory.
    create unlogged table login_attempts (
      key text constraint login_attempts_pkey primary key,
      points integer not null default 0,
      expire bigint
    );
    create index login_attempts_expire_idx on login_attempts (expire);
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop table login_attempts, refresh_tokens, sessions;
    alter table identities drop column must_change
  `);
};
