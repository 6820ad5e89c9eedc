import type { Knex } from 'knex';

export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    create table docking_jobs (
      job_id uuid constraint docking_jobs_pkey primary key,
      status text not null constraint docking_jobs_status_check
        check (status in ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELED')),
      engine text not null,
      pipeline_version text not null,
      inputs jsonb not null constraint docking_jobs_inputs_check
        check (jsonb_typeof(inputs) = 'object' and inputs <> '{}'),
      params jsonb not null constraint docking_jobs_params_check check (jsonb_typeof(params) = 'object'),
      priority integer not null constraint docking_jobs_priority_check check (priority between 0 and 100),
      input_signature text not null constraint docking_jobs_input_signature_check
        check (input_signature ~ '^[0-9a-f]{64}$'),
      submitted_by text not null,
      idempotency_key text constraint docking_jobs_idempotency_key_key unique,
      request_hash text,
      cache_hit boolean not null default false,
      canonical_job_id uuid constraint docking_jobs_canonical_job_id_fkey references docking_jobs,
      cache_confidence_score double precision,
      error text,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      started_at timestamptz(3),
      completed_at timestamptz(3),
      constraint docking_jobs_request_hash_check check ((idempotency_key is null) = (request_hash is null)),
      constraint docking_jobs_cache_hit_check check (cache_hit = (canonical_job_id is not null))
    );
    create index docking_jobs_created_at_idx on docking_jobs (created_at desc, job_id desc);
    create index docking_jobs_status_created_at_idx on docking_jobs (status, created_at desc, job_id desc);
    create index docking_jobs_canonical_job_id_idx on docking_jobs (canonical_job_id) where canonical_job_id is not null;

    create table task_results (
      task_result_id uuid constraint task_results_pkey primary key default gen_random_uuid(),
      job_id uuid not null constraint task_results_job_id_fkey references docking_jobs on delete cascade,
      task_name text not null,
      service_name text not null,
      service_version text,
      schema_version text,
      confidence_score double precision constraint task_results_confidence_score_check
        check (confidence_score between 0 and 1),
      result_data jsonb not null constraint task_results_result_data_check check (jsonb_typeof(result_data) = 'object'),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      constraint task_results_job_id_task_name_key unique (job_id, task_name)
    );

    create table artifacts (
      artifact_id uuid constraint artifacts_pkey primary key default gen_random_uuid(),
      job_id uuid not null constraint artifacts_job_id_fkey references docking_jobs on delete cascade,
      name text not null,
      purpose text not null,
      uri text not null,
      content_type text,
      size_bytes bigint constraint artifacts_size_bytes_check check (size_bytes >= 0),
      checksum text,
      position bigint generated always as identity,
      created_at timestamptz(3) not null default now()
    );
    create index artifacts_job_id_idx on artifacts (job_id, position);

    create table input_signatures (
      signature text constraint input_signatures_pkey primary key
        constraint input_signatures_signature_check check (signature ~ '^[0-9a-f]{64}$'),
      canonical_job_id uuid not null constraint input_signatures_canonical_job_id_fkey references docking_jobs on delete cascade,
      confidence_score double precision,
      hit_count bigint not null default 0,
      created_at timestamptz(3) not null default now(),
      last_used_at timestamptz(3) not null default now(),
      expires_at timestamptz(3)
    );
    create index input_signatures_canonical_job_id_idx on input_signatures (canonical_job_id);
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw('drop table input_signatures, artifacts, task_results, docking_jobs');
};
