/** The fields of the outside contract, written down apart from the schemas that the service checks itself by. */
export const JOB_FIELDS = [
  'job_id',
  'status',
  'engine',
  'pipeline_version',
  'inputs',
  'params',
  'priority',
  'input_signature',
  'submitted_by',
  'created_at',
  'updated_at',
  'started_at',
  'completed_at',
  'error',
  'error_code',
  'attempt',
  'max_attempts',
  'max_runtime_seconds',
  'lease',
  'progress',
  'label',
  'campaign_id',
  'retry_of',
  'cache',
] as const;
export const CACHE_FIELDS = ['hit', 'canonical_job_id', 'confidence_score'] as const;
export const ORGANIZATION_FIELDS = [
  'org_id',
  'name',
  'status',
  'created_at',
  'updated_at',
  'database',
] as const;
/** As platform administrators see it. */
export const ADMINISTERED_ORGANIZATION_FIELDS = [...ORGANIZATION_FIELDS, 'placement'] as const;
export const AUDIT_FIELDS = [
  'audit_id',
  'org_id',
  'user_id',
  'action',
  'entity_type',
  'entity_id',
  'details',
  'request_id',
  'address',
  'ts',
] as const;
export const SIGNATURE_FIELDS = [
  'signature',
  'canonical_job_id',
  'confidence_score',
  'hit_count',
  'created_at',
  'last_used_at',
  'expires_at',
  'pinned',
] as const;
export const PROBLEM_FIELDS = [
  'type',
  'title',
  'status',
  'detail',
  'instance',
  'code',
  'request_id',
] as const;

export const RFC3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
export const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Status by code, as the contract's table of errors says, and those that came later. */
export const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  malformed_request: 400,
  malformed_json: 400,
  unauthenticated: 401,
  organization_access_denied: 403,
  confirmation_required: 403,
  role_required: 403,
  organization_choice_required: 403,
  cross_site_request: 403,
  ambiguous_session: 400,
  password_change_required: 403,
  organization_suspended: 403,
  not_found: 404,
  organization_not_found: 404,
  organization_database_not_found: 404,
  server_not_found: 404,
  job_not_found: 404,
  file_not_found: 404,
  signature_not_found: 404,
  campaign_not_found: 404,
  session_not_found: 404,
  user_not_found: 404,
  member_not_found: 404,
  service_account_not_found: 404,
  service_account_key_not_found: 404,
  migration_run_not_found: 404,
  task_not_found: 404,
  identity_not_found: 404,
  invitation_not_found: 404,
  method_not_allowed: 405,
  not_acceptable: 406,
  request_timeout: 408,
  upload_expired: 410,
  settings_changed: 412,
  file_too_large: 413,
  range_not_satisfiable: 416,
  digest_mismatch: 422,
  body_too_large: 413,
  unsupported_media_type: 415,
  expectation_failed: 417,
  transfer_coding_unsupported: 501,
  organization_already_exists: 409,
  user_already_exists: 409,
  own_account_protected: 409,
  member_already_exists: 409,
  identity_already_linked: 409,
  state_conflict: 409,
  migration_state_conflict: 409,
  job_state_conflict: 409,
  artifact_already_exists: 409,
  artifact_elsewhere: 409,
  files_in_use: 409,
  idempotency_key_reused: 409,
  campaign_archived: 409,
  lease_required: 409,
  lease_lost: 409,
  worker_benched: 429,
  quota_exceeded: 429,
  validation_failed: 422,
  organization_busy: 429,
  too_many_streams: 429,
  files_unavailable: 503,
  storage_quota_exceeded: 403,
  service_busy: 503,
  too_many_attempts: 429,
  headers_too_large: 431,
  database_provisioning_failed: 503,
  database_unavailable: 503,
  connection_budget_exhausted: 503,
  no_server_available: 503,
  organization_not_ready: 503,
  internal_error: 500,
};

export interface Job {
  readonly job_id: string;
  readonly status: string;
  readonly engine: string;
  readonly pipeline_version: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly priority: number;
  readonly input_signature: string;
  readonly submitted_by: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly error: string | null;
  readonly error_code: string | null;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly max_runtime_seconds: number | null;
  readonly lease: { readonly worker: string; readonly expires_at: string } | null;
  readonly progress: { readonly fraction?: number; readonly message?: string } | null;
  readonly label: string | null;
  readonly campaign_id: string | null;
  readonly retry_of: string | null;
  readonly cache: {
    readonly hit: boolean;
    readonly canonical_job_id: string | null;
    readonly confidence_score: number | null;
  };
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

export interface AuditEntry {
  readonly org_id: string | null;
  readonly user_id: string | null;
  readonly action: string;
  readonly entity_type: string;
  readonly entity_id: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly request_id: string | null;
  readonly address: string | null;
  readonly ts: string;
}

export interface Problem {
  readonly type: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly organizations?: readonly string[];
}

export interface Readiness {
  readonly status: string;
  readonly checks: {
    readonly databases: Readonly<Record<string, boolean>>;
    readonly metadata_db: boolean;
    readonly org_databases: Readonly<Record<string, boolean>>;
    readonly servers: Readonly<Record<string, boolean>>;
  };
}
