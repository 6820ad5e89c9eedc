import type { Knex } from 'knex';

/**
 * Results databases on several servers. Until the upgrade is over, the release before this one runs beside it and knows
 * one server, `default`: every new column has that default, a view keeps the name of the table of shares, and a trigger
 * keeps it from making a database on its server that the ledger has on another one.
 */
export const up = async (knex: Knex): Promise<void> => {
  // No question marks below: Knex takes them for parameters.
  await knex.raw(`
    -- The operators' side of the servers. How they are reached stands in the environment of the processes.
    create table results_servers (
      server_id text constraint results_servers_pkey primary key
        constraint results_servers_server_id_check check (server_id ~ '^[a-z][a-z0-9_]{0,29}$'),
      -- Whether it takes new databases; draining and disabled ones take none.
      status text not null default 'active'
        constraint results_servers_status_check check (status in ('active', 'draining', 'disabled')),
      weight integer not null default 100 constraint results_servers_weight_check check (weight > 0),
      -- Null: no limit.
      max_databases integer constraint results_servers_max_databases_check check (max_databases >= 0),
      labels jsonb not null default '{}'
        constraint results_servers_labels_check check (jsonb_typeof(labels) = 'object'),
      -- Organizations' databases there, made or claimed. Kept by a trigger: to count them anew would cost every claim more.
      databases integer not null default 0 constraint results_servers_databases_check check (databases >= 0),
      -- Of the cluster, as it says itself; null until it was asked. Two names for one cluster would share its limits.
      system_identifier text constraint results_servers_system_identifier_key unique,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    ) with (fillfactor = 50);
    insert into results_servers (server_id) values ('default');

    alter table organization_databases
      add column server_id text not null default 'default'
        constraint organization_databases_server_id_fkey references results_servers;
    create index organization_databases_server_id_idx on organization_databases (server_id, org_id);
    alter table results_templates
      add column server_id text not null default 'default'
        constraint results_templates_server_id_fkey references results_servers;
    alter table spare_databases
      add column server_id text not null default 'default'
        constraint spare_databases_server_id_fkey references results_servers,
      drop constraint spare_databases_database_name_key,
      add constraint spare_databases_database_name_key unique (server_id, database_name);

    create function count_server_databases() returns trigger language plpgsql as $$
    begin
      if tg_op = 'UPDATE' and old.server_id = new.server_id and (old.stamp is null) = (new.stamp is null) then
        return null;
      end if;
      if tg_op <> 'INSERT' and old.stamp is not null then
        update results_servers set databases = databases - 1 where server_id = old.server_id;
      end if;
      if tg_op <> 'DELETE' and new.stamp is not null then
        update results_servers set databases = databases + 1 where server_id = new.server_id;
      end if;
      return null;
    end $$;
    create trigger organization_databases_count
      after insert or delete or update of stamp, server_id on organization_databases
      for each row execute function count_server_databases();
    -- Counted under the lock that the statements above took. The release before this one claims until they have it.
    update results_servers set databases = (select count(*) from organization_databases where stamp is not null);

    -- The release before this one knows neither the spare's server nor the organization's. It may not build there.
    create function keep_spare_on_server() returns trigger language plpgsql as $$
    begin
      if exists (select from results_templates t
                 where t.template_hash = new.template_hash and t.server_id <> new.server_id)
        or exists (select from organization_databases d
                   where d.stamp = new.spare_id and d.server_id <> new.server_id) then
        raise exception 'the database is to be made on another server' using errcode = 'check_violation';
      end if;
      return new;
    end $$;
    create trigger spare_databases_keep_server before insert or update of template_hash, server_id on spare_databases
      for each row execute function keep_spare_on_server();

    -- Where an organization's database has to be: on this server, or on one with these labels. Null and empty: anywhere.
    alter table organizations
      add column pinned_server_id text constraint organizations_pinned_server_id_fkey references results_servers,
      add column pinned_labels jsonb not null default '{}'
        constraint organizations_pinned_labels_check check (jsonb_typeof(pinned_labels) = 'object');

    -- Shares of connections, now per server. Processes of the release before this one share the default server's.
    alter table service_instances rename to connection_shares;
    alter table connection_shares rename constraint service_instances_share_check to connection_shares_share_check;
    alter table connection_shares
      add column server_id text not null default 'default'
        constraint connection_shares_server_id_fkey references results_servers,
      drop constraint service_instances_pkey,
      add constraint connection_shares_pkey primary key (server_id, instance_id);
    create view service_instances as
      select instance_id, share, started_at, heartbeat_at from connection_shares where server_id = 'default';
    alter view service_instances alter column share set default 0;
    alter view service_instances alter column started_at set default now();
    alter view service_instances alter column heartbeat_at set default now();

    -- One at a time, each with a fresh look at the others: the shares never add up to more than the budget.
    create function raise_connection_share(server text, claimant uuid, wanted integer, budget integer) returns integer
    language plpgsql as $$
    declare
      granted integer;
    begin
      lock table connection_shares in share row exclusive mode;
      update connection_shares set share = greatest(share, least(wanted,
          budget - (select coalesce(sum(share), 0) from connection_shares
                    where server_id = server and instance_id <> claimant)))
        where server_id = server and instance_id = claimant
        returning share into granted;
      return granted;
    end
    $$;

    -- An organization's database is another one now, or elsewhere: pools to the former one are of no use. To the release
    -- before this one it is a change of the organization, which that reads again.
    alter table changes add column placement boolean not null default false;
    create function note_placement_change() returns trigger language plpgsql as $$
    begin
      insert into changes (kind, org_id, placement) values ('organization', new.org_id, true);
      perform pg_notify('mad_changes', '');
      return null;
    end $$;
    create trigger organization_databases_note_placement
      after update of state, server_id, stamp, generation on organization_databases
      for each row when (old.state = 'ready' and (old.state, old.server_id, old.stamp, old.generation)
        is distinct from (new.state, new.server_id, new.stamp, new.generation))
      execute function note_placement_change();
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop trigger organization_databases_note_placement on organization_databases;
    drop function note_placement_change();
    alter table changes drop column placement;

    drop function raise_connection_share(text, uuid, integer, integer);
    drop view service_instances;
    delete from connection_shares where server_id <> 'default';
    alter table connection_shares
      drop constraint connection_shares_pkey,
      drop column server_id,
      add constraint service_instances_pkey primary key (instance_id);
    alter table connection_shares rename constraint connection_shares_share_check to service_instances_share_check;
    alter table connection_shares rename to service_instances;

    alter table organizations drop column pinned_server_id, drop column pinned_labels;

    drop trigger spare_databases_keep_server on spare_databases;
    drop function keep_spare_on_server();
    drop trigger organization_databases_count on organization_databases;
    drop function count_server_databases();
    alter table spare_databases
      drop constraint spare_databases_database_name_key,
      drop column server_id,
      add constraint spare_databases_database_name_key unique (database_name);
    alter table results_templates drop column server_id;
    drop index organization_databases_server_id_idx;
    alter table organization_databases drop column server_id;
    drop table results_servers;
  `);
};
