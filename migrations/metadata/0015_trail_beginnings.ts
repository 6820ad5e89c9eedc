import type { Knex } from 'knex';

/**
 * An organization remembers that its trail has begun: one whose chain is gone can be told from one that never had an entry.
 * The mark is no proof, as whoever removes a chain can remove it as well; heads of chains that are kept elsewhere are.
 */
export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    alter table organizations add column trail_began boolean not null default false;

    create function note_trail_began() returns trigger language plpgsql as $$
    begin
      -- A row that is locked is left alone: its holder may be waiting for the chain. Only an organization that was not
      -- registered through the service is locked when its first entry comes.
      update organizations set trail_began = true where org_id in (
        select org_id from organizations where org_id = new.chain and not trail_began for no key update skip locked
      );
      return null;
    end $$;
    create trigger audit_chains_note_began after insert on audit_chains
      for each row execute function note_trail_began();
    alter table audit_chains enable always trigger audit_chains_note_began;

    update organizations set trail_began = true where org_id in (select chain from audit_chains);
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop trigger audit_chains_note_began on audit_chains;
    drop function note_trail_began();
    alter table organizations drop column trail_began;
  `);
};
