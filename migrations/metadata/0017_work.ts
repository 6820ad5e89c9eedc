import type { Knex } from 'knex';

/**
 * Accounts for programs, and hints at which organization has work. Decision 0048.
 *
 * A service account is a user without any identity, so memberships, the feed of changes and the check of tokens hold for it
 * as they are. Its "email" is none that anybody could write or log in with. The release before this one sees such users in
 * its lists. It delivers audit entries without setting hints: jobs submitted through it are found with the organization's next job.
 */
export const up = async (knex: Knex): Promise<void> => {
  // No question marks below: Knex takes them for parameters.
  await knex.raw(`
    create table service_accounts (
      user_id uuid constraint service_accounts_pkey primary key
        constraint service_accounts_user_id_fkey references users on delete cascade,
      -- Whose it is; null: the platform's, which any organization may admit.
      org_id text constraint service_accounts_org_id_fkey references organizations on delete cascade,
      name text not null constraint service_accounts_name_check check (name <> ''),
      created_at timestamptz(3) not null default now()
    );
    create index service_accounts_org_id_idx on service_accounts (org_id, user_id);

    -- Of a key only its hash is kept. One that was revoked stays until the tokens that it brought have expired.
    create table service_account_keys (
      key_id uuid constraint service_account_keys_pkey primary key default gen_random_uuid(),
      user_id uuid not null constraint service_account_keys_user_id_fkey references service_accounts on delete cascade,
      key_hash bytea not null constraint service_account_keys_key_hash_key unique,
      created_at timestamptz(3) not null default now(),
      -- To within some minutes.
      last_used_at timestamptz(3),
      revoked_at timestamptz(3)
    );
    create index service_account_keys_user_id_idx on service_account_keys (user_id, created_at);
    create trigger service_account_keys_note_change after update of revoked_at on service_account_keys
      for each row execute function note_change('user');

    -- "Look there, not before this time." Written with the audit entries that tell of work, and deleted by whoever has
    -- looked and found none. No foreign key, as in audit_backlogs: nothing is to wait for it. No index holds next_due_at: it
    -- is what changes most, and is updated in place (HOT).
    create table work_hints (
      org_id text not null,
      engine text not null,
      -- Rises over all hints, with every entry that sets one.
      version bigint not null,
      -- About how many jobs wait.
      waiting integer not null,
      oldest_at timestamptz(3),
      next_due_at timestamptz(3) not null,
      -- Jobs that were handed out, divided by the organization's weight.
      served double precision not null,
      constraint work_hints_pkey primary key (org_id, engine)
    ) with (fillfactor = 50);
    create index work_hints_served_idx on work_hints (served, oldest_at);
    create sequence work_hints_version_seq owned by work_hints.version;
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop table work_hints, service_account_keys;
    delete from users where user_id in (select user_id from service_accounts);
    drop table service_accounts;
  `);
};
