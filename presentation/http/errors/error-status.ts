interface ErrorStatus {
  readonly status: number;
  readonly title: string;
  /** Replaces the error's message, which may name a server or a database. */
  readonly detail?: string;
  readonly retryAfterSeconds?: number;
}

/** Every error code that a client can see. Nothing else maps codes to HTTP statuses. */
export const ERROR_STATUS = {
  malformed_request: { status: 400, title: 'Malformed request' },
  malformed_json: { status: 400, title: 'Malformed JSON' },
  ambiguous_session: { status: 400, title: 'Two session cookies' },
  unauthenticated: { status: 401, title: 'Not authenticated' },
  organization_access_denied: { status: 403, title: 'No access to this organization' },
  cross_site_request: { status: 403, title: 'Request from another site' },
  password_change_required: { status: 403, title: 'Password change required' },
  organization_choice_required: { status: 403, title: 'Organization to be chosen' },
  confirmation_required: { status: 403, title: 'Confirmation required' },
  role_required: { status: 403, title: 'Role required' },
  storage_quota_exceeded: { status: 403, title: 'Storage quota exceeded' },
  organization_suspended: { status: 403, title: 'Organization suspended' },
  not_found: { status: 404, title: 'No such route' },
  organization_not_found: { status: 404, title: 'Organization not found' },
  organization_database_not_found: { status: 404, title: 'Organization database not found' },
  server_not_found: { status: 404, title: 'Server not found' },
  job_not_found: { status: 404, title: 'Job not found' },
  campaign_not_found: { status: 404, title: 'Campaign not found' },
  file_not_found: { status: 404, title: 'File not found' },
  signature_not_found: { status: 404, title: 'Input signature not found' },
  session_not_found: { status: 404, title: 'Session not found' },
  user_not_found: { status: 404, title: 'User not found' },
  member_not_found: { status: 404, title: 'Member not found' },
  invitation_not_found: { status: 404, title: 'Invitation not found' },
  identity_not_found: { status: 404, title: 'Identity not found' },
  task_not_found: { status: 404, title: 'Task not found' },
  service_account_not_found: { status: 404, title: 'Service account not found' },
  service_account_key_not_found: { status: 404, title: 'Service account key not found' },
  migration_run_not_found: { status: 404, title: 'Migration run not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  not_acceptable: { status: 406, title: 'Not acceptable' },
  organization_already_exists: { status: 409, title: 'Organization exists already' },
  user_already_exists: { status: 409, title: 'User exists already' },
  own_account_protected: { status: 409, title: 'Own account protected' },
  member_already_exists: { status: 409, title: 'Member exists already' },
  identity_already_linked: { status: 409, title: 'Identity linked already' },
  state_conflict: { status: 409, title: 'State conflict' },
  migration_state_conflict: { status: 409, title: 'Migration state conflict' },
  job_state_conflict: { status: 409, title: 'Job state conflict' },
  campaign_archived: { status: 409, title: 'Campaign archived' },
  artifact_already_exists: { status: 409, title: 'Artifact exists already' },
  files_in_use: { status: 409, title: 'Files in use' },
  artifact_elsewhere: { status: 409, title: 'Artifact elsewhere' },
  lease_required: { status: 409, title: 'Lease required' },
  lease_lost: { status: 409, title: 'Lease lost' },
  idempotency_key_reused: { status: 409, title: 'Idempotency key reused' },
  request_timeout: { status: 408, title: 'Request timeout' },
  upload_expired: { status: 410, title: 'Upload expired' },
  settings_changed: { status: 412, title: 'Settings changed' },
  file_too_large: { status: 413, title: 'File too large' },
  body_too_large: { status: 413, title: 'Body too large' },
  range_not_satisfiable: { status: 416, title: 'Range not satisfiable' },
  expectation_failed: { status: 417, title: 'Expectation failed' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  digest_mismatch: { status: 422, title: 'Digest mismatch' },
  validation_failed: { status: 422, title: 'Validation failed' },
  worker_benched: { status: 429, title: 'Worker benched' },
  quota_exceeded: { status: 429, title: 'Quota exceeded', retryAfterSeconds: 10 },
  too_many_attempts: { status: 429, title: 'Too many attempts' },
  too_many_streams: { status: 429, title: 'Too many streams', retryAfterSeconds: 10 },
  headers_too_large: { status: 431, title: 'Headers too large' },
  organization_busy: { status: 429, title: 'Organization busy', retryAfterSeconds: 1 },
  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong on our side. The request id finds it in our log.',
  },
  transfer_coding_unsupported: { status: 501, title: 'Transfer coding unsupported' },
  database_provisioning_failed: {
    status: 503,
    title: 'Database provisioning failed',
    detail: "The organization's database could not be made. It is tried again with the next request.",
    retryAfterSeconds: 5,
  },
  database_unavailable: {
    status: 503,
    title: 'Database unavailable',
    detail: 'A database that this request needs cannot be reached.',
    retryAfterSeconds: 2,
  },
  files_unavailable: {
    status: 503,
    title: 'Files unavailable',
    detail: 'The store of the files cannot be used.',
    retryAfterSeconds: 5,
  },
  service_busy: { status: 503, title: 'Service busy', retryAfterSeconds: 2 },
  connection_budget_exhausted: { status: 503, title: 'All connections in use', retryAfterSeconds: 2 },
  no_server_available: {
    status: 503,
    title: 'No server available',
    detail: "No database server may take the organization's database now.",
    retryAfterSeconds: 30,
  },
  organization_not_ready: {
    status: 503,
    title: 'Organization not ready',
    detail: "The organization's database is being changed. Try again soon.",
    retryAfterSeconds: 5,
  },
} as const satisfies Record<string, ErrorStatus>;

export type ErrorCode = keyof typeof ERROR_STATUS;

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_STATUS, code);

/** The entry, typed with its optional fields. */
export const errorStatus = (code: ErrorCode): ErrorStatus => ERROR_STATUS[code];
