import type { Knex } from 'knex';

/** Ended sessions, and identities that come and go, are changes of a user that every process hears of. */
export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    create trigger sessions_note_change after update of revoked_at on sessions
      for each row execute function note_change('user');
    create trigger identities_note_change after insert or update or delete on identities
      for each row execute function note_change('user');
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop trigger identities_note_change on identities;
    drop trigger sessions_note_change on sessions;
  `);
};
