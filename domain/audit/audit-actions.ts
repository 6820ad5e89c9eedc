/** An action of the audit trail, as `docs/events.md` tells of it. */
interface ActionEntry {
  /** What `entity_id` names. */
  readonly entity: string;
  readonly means: string;
}

/**
 * Every action of the audit trail: `<subject>.<verb in the past>`. A name never changes, as the trails of deployments hold
 * it. Organizations follow some of them as events: `EVENT_TYPES`. Decision 0057.
 */
export const AUDIT_ACTIONS = {
  'artifact.added': { entity: 'job_artifact', means: 'A file was added to a job.' },
  'campaign.changed': { entity: 'campaign', means: 'A campaign got another name, state or description.' },
  'campaign.created': { entity: 'campaign', means: 'A campaign was created.' },
  'database.credentials_rotated': {
    entity: 'database',
    means: 'A role got its password from the new secret.',
  },
  'database.provision_requested': {
    entity: 'database',
    means: 'An operator asked for an organization’s database.',
  },
  'database.provisioned': {
    entity: 'database',
    means: 'An organization got its database, by a request or by adoption.',
  },
  'database.quarantined': { entity: 'database', means: 'A database that nobody has was put aside.' },
  'database.retirement_requested': {
    entity: 'database',
    means: 'An operator asked over HTTP for an organization’s database to be put aside, and said why.',
  },
  'database.retired': {
    entity: 'database',
    means: 'An organization’s database was put aside by an operator.',
  },
  'databases.reconciled': {
    entity: 'reconciler_pass',
    means: 'An operator had the servers held against the ledger.',
  },
  'file.added': { entity: 'file', means: 'A file was uploaded.' },
  'identity.linked': { entity: 'user', means: 'A user got a login of an identity provider.' },
  'identity.unlinked': { entity: 'user', means: 'A user lost a login of an identity provider.' },
  'input_signature.invalidated': {
    entity: 'input_signature',
    means: 'Results of these inputs no longer answer for new jobs.',
  },
  'input_signature.pinned': { entity: 'input_signature', means: 'Results of these inputs are kept.' },
  'input_signature.unpinned': {
    entity: 'input_signature',
    means: 'Results of these inputs are kept no longer.',
  },
  'job.canceled': { entity: 'job, or job_cancellation for several', means: 'Jobs were canceled.' },
  'job.claimed': { entity: 'job_claim', means: 'A worker took jobs under leases.' },
  'job.completed': { entity: 'job', means: 'A worker handed in the result of a job.' },
  'job.failed': { entity: 'job', means: 'A job ended without a result.' },
  'job.moved': { entity: 'job', means: 'A worker without leases set the status of a job.' },
  'job.released': {
    entity: 'job',
    means: 'A worker gave a job back, or an attempt failed and another follows.',
  },
  'job.submitted': { entity: 'job', means: 'A job was submitted, or tried again.' },
  'job_batch.submitted': { entity: 'job_batch', means: 'Jobs were submitted together.' },
  'member.accepted': { entity: 'user', means: 'An invited user became a member.' },
  'member.added': { entity: 'user', means: 'A user became a member.' },
  'member.declined': { entity: 'user', means: 'An invited user did not become a member.' },
  'member.invited': { entity: 'user', means: 'A user was invited.' },
  'member.removed': { entity: 'user', means: 'A user is no member any more.' },
  'member.roles_changed': { entity: 'user', means: 'A member got other roles.' },
  'migration.paused': { entity: 'migration_run', means: 'An operator halted a run.' },
  'migration.resumed': { entity: 'migration_run', means: 'An operator let a run go on.' },
  'migration.retried': {
    entity: 'migration_run',
    means: 'An operator had failed organizations tried again.',
  },
  'migration.rolled_back': { entity: 'migration_run', means: 'An operator had a run taken back.' },
  'migration.started': { entity: 'migration_run', means: 'An operator began a run.' },
  'operator_token.granted': { entity: 'operator_token', means: 'Somebody at the machine made a token.' },
  'organization.access_denied': {
    entity: 'organization',
    means: 'Somebody asked for an organization that the token is not for.',
  },
  'organization.access_denied_repeatedly': {
    entity: 'organization',
    means: 'The same more often than is written down one by one; `count` says how often.',
  },
  'organization.created': { entity: 'organization', means: 'An organization was created.' },
  'organization.placement_changed': {
    entity: 'organization',
    means: 'An organization’s database is to be on another server, once it is made.',
  },
  'organization.renamed': { entity: 'organization', means: 'An organization got another name.' },
  'organization.resumed': { entity: 'organization', means: 'An organization is served again.' },
  'organization.suspended': { entity: 'organization', means: 'An organization is served no longer.' },
  'server.changed': { entity: 'server', means: 'An operator changed what a server takes.' },
  'service_account.admitted': {
    entity: 'service_account',
    means: 'An organization lets a fleet work for it.',
  },
  'service_account.created': { entity: 'service_account', means: 'An account for programs was created.' },
  'service_account.dismissed': {
    entity: 'service_account',
    means: 'An organization lets a fleet work for it no longer.',
  },
  'service_account.key_added': { entity: 'service_account', means: 'An account got a key.' },
  'service_account.key_revoked': { entity: 'service_account', means: 'A key is refused from now on.' },
  'service_account.removed': { entity: 'service_account', means: 'An account and its keys were removed.' },
  'session.token_reused': {
    entity: 'session',
    means: 'A refresh token came twice: it was stolen, and its session is over.',
  },
  'settings.patched': { entity: 'settings', means: 'Some settings of an organization were changed.' },
  'settings.replaced': { entity: 'settings', means: 'All settings of an organization were replaced.' },
  'task.run': { entity: 'task', means: 'An operator ran a background task.' },
  'task_result.written': { entity: 'task_result', means: 'A worker without leases wrote a result.' },
  'user.changed': { entity: 'user', means: 'A user was blocked, let in again, or got or lost a right.' },
  'user.created': { entity: 'user', means: 'A user was created.' },
  'user.email_ambiguous': {
    entity: 'user',
    means: 'A migration found two users with one address, spelled in two ways.',
  },
  'user.password_changed': { entity: 'user', means: 'A user chose another password.' },
  'user.password_set': { entity: 'user', means: 'An administrator set a user’s password.' },
  'user.sessions_ended': { entity: 'user', means: 'An administrator ended sessions of a user.' },
} as const satisfies Readonly<Record<string, ActionEntry>>;

export type AuditAction = keyof typeof AUDIT_ACTIONS;
