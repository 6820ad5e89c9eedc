import type { LogEvent } from './log-event.ts';

const FINISHED = ['request_id', 'org_id', 'method', 'route', 'status', 'duration_ms'] as const;
const FINISHED_ALSO = ['code', 'cut', 'reason', 'err', 'db_ms', 'waited_ms', 'queries', 'server'] as const;

/** Of requests, and of what is done for one. */
export const REQUEST_EVENTS = {
  'request.finished': {
    level: 'info',
    message: 'request finished',
    fields: FINISHED,
    optional: FINISHED_ALSO,
    means: 'A request was answered, refused by a mistake of its client, or left by its client.',
    advice: null,
  },
  'request.unserved': {
    level: 'warn',
    message: 'request finished',
    fields: FINISHED,
    optional: FINISHED_ALSO,
    means: 'A request was answered 5xx because something that it needs is away or busy.',
    advice: 'Read `code`: a database that is away is told of by `health.down` and `outage.summary`.',
  },
  'request.failed': {
    level: 'error',
    message: 'request finished',
    fields: FINISHED,
    optional: FINISHED_ALSO,
    means: 'A request was answered 500: the service has a fault.',
    advice: 'Report `err` with its stack.',
  },
  'request.failed_unheard': {
    level: 'error',
    message: 'request failed',
    fields: ['err', 'request_id', 'code'],
    means: 'A request failed by a fault of the service after its client had left.',
    advice: 'Report `err` with its stack.',
  },
  'request.refused': {
    level: 'info',
    message: 'request refused',
    fields: ['request_id', 'route', 'status', 'code', 'reason'],
    means: 'Bytes arrived that are no HTTP request, or a request did not arrive in time.',
    advice: null,
  },
  'request.denial_unrecorded': {
    level: 'error',
    message: 'a refused access could not be audited',
    fields: ['err', 'action'],
    means: 'Somebody was refused an organization, and the audit trail does not know of it.',
    advice: 'See to the metadata database. The access log has the request, with status 403.',
  },
  'token_keys.unreachable': {
    level: 'warn',
    message: 'the keys of the token issuer could not be fetched',
    fields: ['err'],
    means: 'Tokens are checked with the keys fetched before; after a while nobody gets in with them.',
    advice: 'See whether this machine reaches `JWT_JWKS_URL`.',
  },
  'statement.executed': {
    level: 'debug',
    message: 'database operation',
    fields: ['database', 'statement', 'duration_ms'],
    optional: ['org_id', 'server', 'error'],
    means: 'A statement or a transaction ended.',
    advice: null,
  },
  'file.collection_failed': {
    level: 'warn',
    message: 'files could not be collected',
    fields: ['err', 'org_id'],
    means: 'Files that nothing refers to stay where they are until the next upload tries again.',
    advice: 'If it goes on, see whether the file store can be written.',
  },
  'event_stream.read_failed': {
    level: 'debug',
    message: 'events could not be read; streams wait',
    fields: ['err'],
    means: 'Streams of events have nothing to send until the metadata database answers.',
    advice: null,
  },
  'outbox.rows_ignored': {
    level: 'warn',
    message: 'rows of an outbox are no audit entries; they are left out',
    fields: ['org_id', 'rows'],
    means: 'Somebody has written to the outbox of an organization by SQL.',
    advice: 'Ask the organization who uses its SQL role.',
  },
  'outbox.relay_failed': {
    level: 'warn',
    message: 'audit entries could not be relayed; they are kept',
    fields: ['err', 'org_id'],
    means:
      'Audit entries of an organization reach the trail later: they stay in its own database until then.',
    advice: 'If it goes on, see to the server of the organization and to the metadata database.',
  },
  'outbox.relay_failed_again': {
    level: 'debug',
    message: 'audit entries could not be relayed; they are kept',
    fields: ['err', 'org_id'],
    means: 'The same, at each further attempt.',
    advice: null,
  },
  'outbox.search_failed': {
    level: 'debug',
    message: 'audit entries of dead processes could not be looked for',
    fields: ['err'],
    means: 'Entries that a dead process left are looked for again later.',
    advice: null,
  },
  'announcement.failed': {
    level: 'debug',
    message: 'writes could not be announced; they go on',
    fields: ['err'],
    means: 'If this process dies now, audit entries of these writes wait for the next ones.',
    advice: null,
  },
  'announcement.withdrawal_failed': {
    level: 'debug',
    message: 'an announcement could not be withdrawn',
    fields: ['err'],
    means: 'Another process may look at an outbox that is empty.',
    advice: null,
  },
} as const satisfies Record<string, LogEvent>;
