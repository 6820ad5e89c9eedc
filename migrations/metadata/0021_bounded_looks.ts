import type { Knex } from 'knex';

/**
 * What every process looks at every few seconds, it finds in an index, however many organizations there are: databases
 * that changed just now, organizations that came to a server just now, and those whose schema is older than the others'.
 */
export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    create index organization_databases_updated_at_idx on organization_databases (updated_at) where state = 'ready';
    create index organization_databases_newcomers_idx on organization_databases (server_id, created_at);
    create index organization_databases_schema_idx on organization_databases (schema_version) where state = 'ready';
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop index organization_databases_schema_idx;
    drop index organization_databases_newcomers_idx;
    drop index organization_databases_updated_at_idx;
  `);
};
