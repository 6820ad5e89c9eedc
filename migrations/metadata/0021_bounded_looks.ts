import type { Knex } from 'knex';

/**
 * What every process looks at every few seconds, it finds in an index, however many organizations there are: databases
 * that changed just now, and organizations that came to a server just now.
 */
export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    create index organization_databases_updated_at_idx on organization_databases (updated_at) where state = 'ready';
    create index organization_databases_newcomers_idx on organization_databases (server_id, created_at);
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop index organization_databases_newcomers_idx;
    drop index organization_databases_updated_at_idx;
  `);
};
