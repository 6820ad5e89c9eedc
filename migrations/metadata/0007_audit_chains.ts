import type { Knex } from 'knex';

/**
 * Makes the audit trail one that can only be added to, and in which no entry can be changed or left out unnoticed: each
 * carries the hash of itself and of the one before it. One chain per organization, and one ('') for what concerns none,
 * so that only entries of the same organization wait for each other.
 */
export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    alter table audit_logs add column address text, add column entry_hash bytea;

    -- Entry and hash agree whatever the settings of the session are: hence the written-out time.
    create function audit_entry_hash(previous bytea, entry audit_logs) returns bytea language sql immutable as $$
      select sha256(previous || convert_to(jsonb_build_array(
        entry.position, entry.audit_id, entry.org_id, entry.user_id, entry.action, entry.entity_type, entry.entity_id,
        entry.details, entry.request_id, entry.address,
        to_char(entry.ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
      )::text, 'UTF8'))
    $$;

    -- The last link of each chain: without it, entries could be cut off at the end.
    create table audit_chains (
      chain text constraint audit_chains_pkey primary key,
      length bigint not null constraint audit_chains_length_check check (length > 0),
      head bytea not null
    ) with (fillfactor = 50);

    -- What was written before there were chains.
    do $$
    declare
      entry audit_logs;
      link bytea;
    begin
      for entry in select * from audit_logs order by position loop
        select head into link from audit_chains where chain = coalesce(entry.org_id, '');
        link := audit_entry_hash(coalesce(link, ''), entry);
        update audit_logs set entry_hash = link where position = entry.position;
        insert into audit_chains as known (chain, length, head) values (coalesce(entry.org_id, ''), 1, link)
        on conflict (chain) do update set length = known.length + 1, head = excluded.head;
      end loop;
    end $$;
    alter table audit_logs alter column entry_hash set not null;

    create function chain_audit_entry() returns trigger language plpgsql as $$
    declare
      key text := coalesce(new.org_id, '');
      link audit_chains;
    begin
      loop
        -- The lock on the last link is what puts concurrent entries one after the other.
        select * into link from audit_chains where chain = key for update;
        -- Positions rise along the chain: this one is handed out under the lock, in place of the column's own.
        new.position := nextval('audit_logs_position_seq');
        new.entry_hash := audit_entry_hash(coalesce(link.head, ''), new);
        if link is null then
          insert into audit_chains (chain, length, head) values (key, 1, new.entry_hash) on conflict do nothing;
          -- Somebody else may have begun the chain meanwhile.
          exit when found;
        else
          update audit_chains set length = length + 1, head = new.entry_hash where chain = key;
          exit;
        end if;
      end loop;
      return new;
    end $$;
    create trigger audit_logs_chain before insert on audit_logs for each row execute function chain_audit_entry();

    create function refuse_audit_change() returns trigger language plpgsql as $$
    begin
      -- Links are moved on by the trigger above, and by nobody else.
      if tg_table_name = 'audit_chains' and tg_op in ('INSERT', 'UPDATE') and pg_trigger_depth() > 1 then
        return null;
      end if;
      raise exception 'the audit trail can only be added to' using errcode = 'insufficient_privilege';
    end $$;
    create trigger audit_logs_append_only before update or delete or truncate on audit_logs
      for each statement execute function refuse_audit_change();
    create trigger audit_chains_append_only before insert or update or delete or truncate on audit_chains
      for each statement execute function refuse_audit_change();
    alter table audit_logs enable always trigger audit_logs_chain;
    alter table audit_logs enable always trigger audit_logs_append_only;
    alter table audit_chains enable always trigger audit_chains_append_only;

    -- Processes that may have left entries in an organization's outbox. No foreign key: nothing is to wait for it.
    create table audit_backlogs (
      org_id text not null,
      writer uuid not null,
      touched_at timestamptz(3) not null default now(),
      constraint audit_backlogs_pkey primary key (org_id, writer)
    );
    create index audit_backlogs_touched_at_idx on audit_backlogs (touched_at);
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop table audit_backlogs;
    drop trigger audit_logs_append_only on audit_logs;
    drop trigger audit_logs_chain on audit_logs;
    drop table audit_chains;
    drop function refuse_audit_change();
    drop function chain_audit_entry();
    drop function audit_entry_hash(bytea, audit_logs);
    alter table audit_logs drop column entry_hash, drop column address;
  `);
};
