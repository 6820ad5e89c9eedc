import type { Knex } from 'knex';

/**
 * Emails get one canonical form, and what an organization's administrator offers a user becomes an invitation.
 *
 * The release before this one goes on beside it. It makes users without a canonical form: a trigger fills in that of an
 * ASCII address, where PostgreSQL and JavaScript agree; any other is compared when it is looked for, until a later
 * migration fills it in. It finds users by `lower(email)`, whose index therefore stays. It sees no invitations, so none
 * counts there either. A membership that it makes stands as before, and ends an invitation of the same user.
 */
export const up = async (knex: Knex): Promise<void> => {
  // No question marks below: Knex takes them for parameters.
  await knex.raw(`
    -- Each user would be a change that all processes are told of; none of what they keep depends on this.
    alter table users disable trigger users_note_change;
    alter table users
      -- Null: written by the release before, or another user has the form already.
      add column canonical_email text,
      -- Only an invitation knows this user so far. An administrator of the platform may still make the user of that email.
      add column placeholder boolean not null default false;
  `);
  await fillCanonicalEmails(knex);
  await knex.raw(`
    alter table users enable trigger users_note_change;
    create unique index users_canonical_email_key on users (canonical_email);
    create index users_canonical_email_missing_idx on users (user_id) where canonical_email is null;

    create function users_canonical_email() returns trigger language plpgsql as $$
    declare
      form text := lower(new.email collate "C");
    begin
      if not exists (select from users where canonical_email = form) then new.canonical_email := form; end if;
      return new;
    end $$;
    create trigger users_canonical_email before insert on users for each row
      when (new.canonical_email is null and new.email collate "C" ~ '^[ -~]+$')
      execute function users_canonical_email();

    create table invitations (
      user_id uuid constraint invitations_user_id_fkey references users on delete cascade,
      org_id text constraint invitations_org_id_fkey references organizations on delete cascade,
      -- As the inviting organization wrote it: it learns no other spelling before the user accepts.
      email text not null,
      roles text[] not null constraint invitations_roles_check
        check (cardinality(roles) > 0 and roles <@ array['org_admin', 'member', 'worker']),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      constraint invitations_pkey primary key (user_id, org_id)
    );
    create index invitations_org_id_idx on invitations (org_id);
    create trigger invitations_note_change after insert or update or delete on invitations
      for each row execute function note_change('member');

    -- Whatever release makes a membership, the invitation to it is over.
    create function memberships_end_invitation() returns trigger language plpgsql as $$
    begin
      delete from invitations where user_id = new.user_id and org_id = new.org_id;
      return null;
    end $$;
    create trigger memberships_end_invitation after insert on memberships
      for each row execute function memberships_end_invitation();
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop trigger memberships_end_invitation on memberships;
    drop function memberships_end_invitation();
    drop table invitations;
    drop trigger users_canonical_email on users;
    drop function users_canonical_email();
    alter table users drop column canonical_email, drop column placeholder;
  `);
};

interface UserRow {
  readonly user_id: string;
  readonly email: string;
}

const AT_ONCE = 5000;

/**
 * Of several users whose emails have one canonical form, the one that was made first gets it. The others keep their
 * accounts, and are found by their own spelling. The trail of the platform names them.
 */
const fillCanonicalEmails = async (knex: Knex): Promise<void> => {
  const { rows } = await knex.raw<{ rows: readonly UserRow[] }>(
    'select user_id, email from users order by created_at, user_id',
  );
  const owners = new Map<string, string>();
  for (const { user_id: userId, email } of rows) {
    const form = canonicalEmail(email);
    const owner = owners.get(form);
    if (owner === undefined) owners.set(form, userId);
    else await recordConflict(knex, userId, owner);
  }
  const filled = [...owners];
  for (let at = 0; at < filled.length; at += AT_ONCE) {
    const part = filled.slice(at, at + AT_ONCE);
    await knex.raw(
      `update users set canonical_email = given.form
       from unnest(?::text[], ?::uuid[]) as given (form, user_id) where users.user_id = given.user_id`,
      [part.map(([form]) => form), part.map(([, userId]) => userId)],
    );
  }
};

const recordConflict = (knex: Knex, userId: string, owner: string): Knex.Raw =>
  knex.raw(
    `insert into audit_logs (action, entity_type, entity_id, details)
     values ('user.email_ambiguous', 'user', ?, jsonb_build_object('canonical_email_belongs_to', ?::text))`,
    [userId, owner],
  );

/** As of this migration: what the service computes later may not change what was filled in here. */
const canonicalEmail = (email: string): string => {
  const folded = email.normalize('NFKC').toLowerCase().normalize('NFKC');
  const at = folded.lastIndexOf('@') + 1;
  return folded.slice(0, at) + (at === 0 ? folded : inAscii(folded.slice(at)));
};

const inAscii = (domain: string): string => {
  const isInternational = /^[\p{L}\p{M}\p{N}.-]+$/u.test(domain) && /\P{ASCII}/u.test(domain);
  const url = `http://${domain}`;
  return isInternational && URL.canParse(url) ? new URL(url).hostname : domain;
};
