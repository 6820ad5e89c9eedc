import type { Knex } from 'knex';

/**
 * What processes keep in memory of the metadata database has to follow it. Triggers write each such change down, in its
 * own transaction, whoever makes it. Other tables join in with a trigger of theirs on `note_change`.
 */
export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    create table changes (
      change_id bigint generated always as identity constraint changes_pkey primary key,
      -- Identity values are handed out before the commit, in another order: what is new since a look is told by this.
      transaction_id xid8 not null default pg_current_xact_id(),
      kind text not null
        constraint changes_kind_check check (kind in ('organization', 'settings', 'member', 'user')),
      org_id text,
      user_id text,
      made_at timestamptz(3) not null default now()
    );
    create index changes_transaction_id_idx on changes (transaction_id);

    -- Its argument is the kind; the row says of which organization and user.
    create function note_change() returns trigger language plpgsql as $$
    declare
      subject jsonb;
    begin
      if tg_op = 'DELETE' then subject := to_jsonb(old); else subject := to_jsonb(new); end if;
      insert into changes (kind, org_id, user_id) values (tg_argv[0], subject ->> 'org_id', subject ->> 'user_id');
      perform pg_notify('mad_changes', '');
      return null;
    end $$;

    create trigger organizations_note_change after update of status or delete on organizations
      for each row execute function note_change('organization');
    create trigger settings_note_change after insert or update or delete on settings
      for each row execute function note_change('settings');
    create trigger memberships_note_change after insert or update or delete on memberships
      for each row execute function note_change('member');
    create trigger users_note_change after update or delete on users
      for each row execute function note_change('user');
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop trigger users_note_change on users;
    drop trigger memberships_note_change on memberships;
    drop trigger settings_note_change on settings;
    drop trigger organizations_note_change on organizations;
    drop function note_change();
    drop table changes;
  `);
};
