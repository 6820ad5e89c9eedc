import type { Knex } from 'knex';

export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    -- The live processes of the deployment, and how many connections to results databases each may hold.
    create table service_instances (
      instance_id uuid constraint service_instances_pkey primary key,
      share integer not null default 0 constraint service_instances_share_check check (share >= 0),
      started_at timestamptz not null default now(),
      heartbeat_at timestamptz not null default now()
    );

    -- One at a time, each with a fresh look at the others: the shares never add up to more than the budget.
    create function claim_connection_share(claimant uuid, wanted integer, budget integer) returns integer
    language plpgsql as $$
    declare
      granted integer;
    begin
      lock table service_instances in share row exclusive mode;
      update service_instances set share = greatest(share, least(wanted,
          budget - (select coalesce(sum(share), 0) from service_instances where instance_id <> claimant)))
        where instance_id = claimant
        returning share into granted;
      return granted;
    end
    $$;
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop function claim_connection_share;
    drop table service_instances;
  `);
};
