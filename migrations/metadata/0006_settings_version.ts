import type { Knex } from 'knex';

export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    -- Rises with every write; an organization without a row is at version 0.
    alter table settings add column version bigint not null default 1
      constraint settings_version_check check (version > 0);
    create index organizations_suspended_idx on organizations (org_id) where status = 'suspended';
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop index organizations_suspended_idx;
    alter table settings drop column version;
  `);
};
