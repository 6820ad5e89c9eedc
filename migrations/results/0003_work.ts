import type { Knex } from 'knex';

const CAMPAIGNS = `
  create table campaigns (
    campaign_id uuid constraint campaigns_pkey primary key,
    name text not null,
    created_by text not null,
    created_at timestamptz(3) not null default now()
  );
`;

/** The release before this one writes jobs and their outputs without these columns, so each has a default. */
const LEASES = `
  alter table docking_jobs
    add column label text,
    add column campaign_id uuid constraint docking_jobs_campaign_id_fkey references campaigns,
    add column retry_of uuid constraint docking_jobs_retry_of_fkey references docking_jobs,
    add column attempt integer not null default 0,
    add column max_attempts integer not null default 3
      constraint docking_jobs_max_attempts_check check (max_attempts between 1 and 10),
    add column max_runtime_seconds integer
      constraint docking_jobs_max_runtime_seconds_check check (max_runtime_seconds > 0),
    add column not_before timestamptz(3),
    add column error_code text;
  -- In the order of claims. Jobs that wait for a moment are apart, so that a claim steps over none of them.
  create index docking_jobs_claim_idx on docking_jobs (engine, priority desc, created_at, job_id)
    where status = 'PENDING' and not_before is null;
  create index docking_jobs_delayed_idx on docking_jobs (engine, not_before)
    where status = 'PENDING' and not_before is not null;

  -- The live row of a job is its lease. Heartbeats update it in place (HOT): no index holds what they write.
  create table job_attempts (
    lease_id uuid constraint job_attempts_pkey primary key default gen_random_uuid(),
    job_id uuid not null constraint job_attempts_job_id_fkey references docking_jobs on delete cascade,
    attempt integer not null,
    engine text not null,
    worker_name text not null,
    worker_version text,
    lease_seconds integer not null,
    started_at timestamptz(3) not null default now(),
    expires_at timestamptz(3) not null,
    -- When the job has run for as long as it may. No lease goes beyond.
    deadline_at timestamptz(3) not null,
    progress jsonb,
    ended_at timestamptz(3),
    outcome text constraint job_attempts_outcome_check
      check (outcome in ('COMPLETED', 'FAILED', 'LOST', 'RELEASED', 'CANCELED')),
    release_reason text,
    error jsonb,
    usage jsonb,
    log_tail text,
    constraint job_attempts_ended_check check ((ended_at is null) = (outcome is null))
  ) with (fillfactor = 70);
  create unique index job_attempts_live_idx on job_attempts (job_id) where ended_at is null;
  create index job_attempts_job_id_idx on job_attempts (job_id, started_at, lease_id);
  -- What a worker made of its jobs lately.
  create index job_attempts_worker_idx on job_attempts (worker_name, ended_at)
    where outcome in ('COMPLETED', 'FAILED');

  -- The lease under which it was written; null when none was. What a lost lease has written is dropped.
  alter table task_results add column lease_id uuid;
  alter table artifacts add column lease_id uuid;
`;

const FILES = ``;

const SCORES = ``;

export const up = async (knex: Knex): Promise<void> => {
  await knex.raw([CAMPAIGNS, LEASES, FILES, SCORES].join('\n'));
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    alter table artifacts drop column lease_id;
    alter table task_results drop column lease_id;
    drop table job_attempts;
    alter table docking_jobs
      drop column label, drop column campaign_id, drop column retry_of, drop column attempt, drop column max_attempts,
      drop column max_runtime_seconds, drop column not_before, drop column error_code;
    drop table campaigns;
  `);
};
