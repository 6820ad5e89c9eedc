import type { Knex } from 'knex';

export const up = async (knex: Knex): Promise<void> => {
  // No question marks below: Knex takes them for parameters.
  await knex.raw(`
    create table organizations (
      org_id text constraint organizations_pkey primary key
        constraint organizations_org_id_check check (org_id ~ '^([a-z0-9]|[a-z0-9][a-z0-9_-]*[a-z0-9])$' and org_id <> 'template'),
      name text not null constraint organizations_name_check check (name <> ''),
      status text not null default 'active'
        constraint organizations_status_check check (status in ('active', 'suspended', 'retired')),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );

    create table users (
      user_id uuid constraint users_pkey primary key default gen_random_uuid(),
      email text not null constraint users_email_check check (email <> ''),
      status text not null default 'active' constraint users_status_check check (status in ('active', 'disabled')),
      platform_admin boolean not null default false,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create unique index users_email_key on users (lower(email));

    create table identities (
      identity_id uuid constraint identities_pkey primary key default gen_random_uuid(),
      user_id uuid not null constraint identities_user_id_fkey references users on delete cascade,
      provider text not null,
      subject text not null,
      password_hash text,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      constraint identities_provider_subject_key unique (provider, subject),
      constraint identities_password_hash_check check ((provider = 'password') = (password_hash is not null))
    );
    create index identities_user_id_idx on identities (user_id);

    create table memberships (
      user_id uuid constraint memberships_user_id_fkey references users on delete cascade,
      org_id text constraint memberships_org_id_fkey references organizations on delete cascade,
      roles text[] not null constraint memberships_roles_check
        check (cardinality(roles) > 0 and roles <@ array['org_admin', 'member', 'worker']),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      constraint memberships_pkey primary key (user_id, org_id)
    );
    create index memberships_org_id_idx on memberships (org_id);

    create table settings (
      org_id text constraint settings_pkey primary key
        constraint settings_org_id_fkey references organizations on delete cascade,
      settings jsonb not null constraint settings_settings_check check (jsonb_typeof(settings) = 'object'),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );

    -- No foreign keys: the trail outlives what it speaks of, and users may come from another identity provider.
    create table audit_logs (
      position bigint generated always as identity constraint audit_logs_pkey primary key,
      audit_id uuid not null default gen_random_uuid() constraint audit_logs_audit_id_key unique,
      org_id text,
      user_id text,
      action text not null,
      entity_type text not null,
      entity_id text not null,
      details jsonb not null default '{}',
      request_id text,
      ts timestamptz(3) not null default now()
    );
    create index audit_logs_org_id_idx on audit_logs (org_id, position desc);
    create index audit_logs_org_id_action_idx on audit_logs (org_id, action, position desc);

    create table organization_databases (
      org_id text constraint organization_databases_pkey primary key
        constraint organization_databases_org_id_fkey references organizations,
      -- Follows from the id: two organizations never share one.
      database_name text not null,
      state text not null default 'provisioning' constraint organization_databases_state_check
        check (state in ('provisioning', 'ready', 'failed', 'suspended', 'retiring')),
      stamp uuid constraint organization_databases_stamp_key unique,
      generation integer not null default 1 constraint organization_databases_generation_check check (generation > 0),
      schema_version integer,
      last_error text,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      constraint organization_databases_ready_check 
        check (state <> 'ready' or (stamp is not null and schema_version is not null))
    );
    create index organization_databases_state_idx on organization_databases (state, org_id);

    -- What new databases are cloned from. Releases that run side by side have one each; unused ones are dropped.
    create table results_templates (
      template_hash text constraint results_templates_pkey primary key,
      -- Follows from the hash. Unique of its own, it would break "on conflict" on the key under concurrent inserts.
      database_name text not null,
      schema_version integer not null,
      last_used_at timestamptz(3) not null default now()
    );

    -- Databases made ahead of need. A claimed one is on its way to the organization whose stamp is its id; a retired
    -- one is on its way out.
    create table spare_databases (
      spare_id uuid constraint spare_databases_pkey primary key,
      database_name text not null constraint spare_databases_database_name_key unique,
      template_hash text not null,
      schema_version integer not null,
      state text not null constraint spare_databases_state_check
        check (state in ('building', 'ready', 'claimed', 'retired')),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create index spare_databases_state_idx on spare_databases (state, template_hash, created_at);
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop table spare_databases, results_templates, organization_databases, audit_logs, settings, memberships, identities, users, organizations
  `);
};
