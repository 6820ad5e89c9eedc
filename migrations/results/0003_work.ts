import type { Knex } from 'knex';

const CAMPAIGNS = `
  create table campaigns (
    campaign_id uuid constraint campaigns_pkey primary key,
    name text not null,
    description text,
    -- What its jobs have where they say nothing themselves.
    engine text,
    inputs jsonb not null default '{}' constraint campaigns_inputs_check check (jsonb_typeof(inputs) = 'object'),
    params jsonb not null default '{}' constraint campaigns_params_check check (jsonb_typeof(params) = 'object'),
    priority integer constraint campaigns_priority_check check (priority between 0 and 100),
    created_by text not null,
    created_at timestamptz(3) not null default now(),
    updated_at timestamptz(3) not null default now(),
    archived_at timestamptz(3)
  );
  create index campaigns_created_at_idx on campaigns (created_at desc, campaign_id desc);

  -- The jobs of a batch in the order of its items: what a replay answers.
  create table job_batches (
    batch_id uuid constraint job_batches_pkey primary key,
    campaign_id uuid constraint job_batches_campaign_id_fkey references campaigns,
    job_ids uuid[] not null,
    idempotency_key text constraint job_batches_idempotency_key_key unique,
    request_hash text,
    created_at timestamptz(3) not null default now(),
    constraint job_batches_request_hash_check check ((idempotency_key is null) = (request_hash is null))
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

/**
 * The release before this one writes task results without poses, and signatures without pins. Of the filters of jobs a
 * campaign alone is selective enough for an index: each other one is looked for along the newest jobs, or those of a
 * status, and an index more would cost every submission. The status is in the campaign's index so that counts of jobs by
 * status read no rows; the time is there in a form of its own, so that no other index has the order of a campaign's list.
 */
const SCORES = `
  create index docking_jobs_campaign_id_idx on docking_jobs
    (campaign_id, (created_at at time zone 'UTC') desc, job_id desc) include (status)
    where campaign_id is not null;

  -- json keeps the numbers as they were sent. jsonb would write 5e-324 with 326 characters.
  alter table task_results
    add column poses json not null default '[]',
    add column best_affinity double precision,
    add column suspect text[] not null default '{}';

  -- What a ranking needs of a completed job, in one row. Decision 0047.
  create table job_scores (
    job_id uuid constraint job_scores_pkey primary key
      constraint job_scores_job_id_fkey references docking_jobs on delete cascade,
    -- Of the job itself, or of the one that answered for it from the cache.
    output_job_id uuid not null constraint job_scores_output_job_id_fkey references docking_jobs on delete cascade,
    task_name text not null,
    campaign_id uuid constraint job_scores_campaign_id_fkey references campaigns,
    -- Empty where the job has none. It sorts by code points, so a prefix is a range of the index.
    label text collate "C" not null,
    best_affinity double precision not null,
    pose_count integer not null,
    top_pose json not null,
    suspect text[] not null,
    ligand_file text,
    ligand_name text,
    poses_artifact_id uuid,
    created_at timestamptz(3) not null
  );
  create index job_scores_output_job_id_idx on job_scores (output_job_id) where output_job_id <> job_id;
  create index job_scores_ranking_idx on job_scores (campaign_id, best_affinity, job_id)
    where campaign_id is not null and suspect = '{}';
  create index job_scores_suspect_idx on job_scores (campaign_id, best_affinity, job_id)
    where campaign_id is not null and suspect <> '{}';
  create index job_scores_label_idx on job_scores (campaign_id, label, job_id) where campaign_id is not null;
  create index job_scores_created_at_idx on job_scores (campaign_id, created_at, job_id)
    where campaign_id is not null;

  alter table input_signatures add column pinned boolean not null default false;
`;

/** Whom the queue names as the workers of an engine. */
const QUEUE = `
  create index job_attempts_engine_idx on job_attempts (engine, started_at desc);
`;

export const up = async (knex: Knex): Promise<void> => {
  await knex.raw([CAMPAIGNS, LEASES, FILES, SCORES, QUEUE].join('\n'));
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    alter table input_signatures drop column pinned;
    drop table job_scores;
    alter table task_results drop column poses, drop column best_affinity, drop column suspect;
    drop table job_batches;
    alter table artifacts drop column lease_id;
    alter table task_results drop column lease_id;
    drop table job_attempts;
    alter table docking_jobs
      drop column label, drop column campaign_id, drop column retry_of, drop column attempt, drop column max_attempts,
      drop column max_runtime_seconds, drop column not_before, drop column error_code;
    drop table campaigns;
  `);
};
