import type { Knex } from 'knex';

/** What operators look at and act on: processes, the last reconciliation, runs that the service works on, browser sessions. */
export const up = async (knex: Knex): Promise<void> => {
  // No question marks below: Knex takes them for parameters.
  await knex.raw(`
    -- What each process last said of itself. May be lost in a crash: all is there again five seconds later.
    create unlogged table process_beats (
      instance_id uuid constraint process_beats_pkey primary key,
      started_at timestamptz(3) not null,
      beat_at timestamptz(3) not null default now(),
      -- JSON as text, so that its size is what was written.
      facts text not null constraint process_beats_facts_check check (octet_length(facts) <= 2048)
    );

    -- The last comparison of the servers with the ledger: one row.
    create table reconciler_passes (
      is_last boolean default true constraint reconciler_passes_pkey primary key
        constraint reconciler_passes_is_last_check check (is_last),
      origin text not null
        constraint reconciler_passes_origin_check check (origin in ('start', 'command', 'operator')),
      dry_run boolean not null,
      began_at timestamptz(3) not null,
      ended_at timestamptz(3) not null default now(),
      -- Findings by kind and action, whole; the list may be cut.
      summary jsonb not null,
      findings jsonb not null,
      unreachable jsonb not null
    );

    -- Processes of the service that know so many migrations work on the run. Null: only commands do.
    alter table fleet_runs add column service_schema_version integer
      constraint fleet_runs_service_schema_version_check check (service_schema_version >= 0);

    -- Searches by the beginning of an id, a name, an email; and the orders that lists of organizations have.
    create index organizations_org_id_pattern_idx on organizations (org_id text_pattern_ops);
    create index organizations_name_pattern_idx on organizations (lower(name) text_pattern_ops);
    create index organizations_name_idx on organizations (name collate "C", org_id);
    create index organizations_created_at_idx on organizations (created_at, org_id);
    create index users_email_pattern_idx on users (lower(email) text_pattern_ops);

    -- The trail by who, what and which request, within one organization or in all.
    create index audit_logs_ts_idx on audit_logs (ts desc, position desc);
    -- Hashes: an entry's ids may be longer than a B-tree takes. What is common is found along the time.
    create index audit_logs_user_id_idx on audit_logs using hash (user_id);
    create index audit_logs_entity_id_idx on audit_logs using hash (entity_id);
    create index audit_logs_request_id_idx on audit_logs using hash (request_id);

    -- A login of a browser: a session whose cookie makes access tokens, for each of the user's organizations.
    create table browser_sessions (
      session_id uuid constraint browser_sessions_pkey primary key
        constraint browser_sessions_session_id_fkey references sessions on delete cascade,
      -- SHA-256 of what the cookie holds. It stays the same as long as the session.
      secret_hash bytea not null constraint browser_sessions_secret_hash_key unique,
      used_at timestamptz(3) not null default now()
    );
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop table browser_sessions;
    drop index audit_logs_request_id_idx, audit_logs_entity_id_idx, audit_logs_user_id_idx, audit_logs_ts_idx;
    drop index users_email_pattern_idx, organizations_created_at_idx, organizations_name_idx,
      organizations_name_pattern_idx, organizations_org_id_pattern_idx;
    alter table fleet_runs drop column service_schema_version;
    drop table reconciler_passes, process_beats;
  `);
};
