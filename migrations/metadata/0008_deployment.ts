import type { Knex } from 'knex';

export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    -- Tells the databases of this deployment from those of another one on the same server. One row, made here.
    create table deployment (
      deployment_id uuid not null default gen_random_uuid(),
      only_row boolean constraint deployment_pkey primary key default true
        constraint deployment_only_row_check check (only_row)
    );
    insert into deployment default values;
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw('drop table deployment');
};
