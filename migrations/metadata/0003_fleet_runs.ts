import type { Knex } from 'knex';

export const up = async (knex: Knex): Promise<void> => {
  // No question marks below: Knex takes them for parameters.
  await knex.raw(`
    create table fleet_runs (
      run_id integer generated always as identity constraint fleet_runs_pkey primary key,
      kind text not null constraint fleet_runs_kind_check check (kind in ('migrate', 'rollback')),
      target_version integer constraint fleet_runs_target_version_check
        check (target_version >= 0 and (kind = 'rollback' or target_version is not null)),
      -- Whether organizations that turn up behind while it runs belong to it.
      whole_fleet boolean not null,
      state text not null default 'running'
        constraint fleet_runs_state_check check (state in ('running', 'paused', 'halted', 'finished')),
      -- Why it is paused, halted, or ended before its time.
      reason text,
      -- Its items up to this wave may be worked on; the canaries are wave 0.
      wave integer not null default 0,
      -- Failures it takes without halting, beside those that an operator has accepted.
      error_budget integer not null constraint fleet_runs_error_budget_check check (error_budget >= 0),
      accepted_failures integer not null default 0,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      finished_at timestamptz(3)
    );
    -- One at a time: two would undo each other's work.
    create unique index fleet_runs_unfinished_key on fleet_runs ((true)) where state <> 'finished';

    create table fleet_items (
      run_id integer constraint fleet_items_run_id_fkey references fleet_runs on delete cascade,
      org_id text constraint fleet_items_org_id_fkey references organizations on delete cascade,
      wave integer not null,
      -- A request was turned away: it goes before its wave, though never before the canaries.
      urgent boolean not null default false,
      state text not null default 'pending' constraint fleet_items_state_check
        check (state in ('pending', 'running', 'deferred', 'done', 'failed')),
      from_version integer not null,
      to_version integer not null,
      attempts integer not null default 0,
      error text,
      duration_ms integer,
      -- Who works on it, and until when that is believed without a sign of life.
      runner text,
      lease_until timestamptz(3),
      not_before timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      constraint fleet_items_pkey primary key (run_id, org_id),
      constraint fleet_items_running_check
        check (state <> 'running' or (runner is not null and lease_until is not null))
    );
    create index fleet_items_unfinished_idx on fleet_items (run_id, urgent desc, wave, org_id)
      where state in ('pending', 'running', 'deferred');
    create index fleet_items_org_id_idx on fleet_items (org_id);

    -- Since when requests are turned away because the schema is behind.
    alter table organization_databases add column migration_wanted_at timestamptz(3);
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    alter table organization_databases drop column migration_wanted_at;
    drop table fleet_items, fleet_runs
  `);
};
