/** `error`: someone must act now. `warn`: someone should look. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What each kind of field holds in the program. Null where there is none. */
interface FieldTypes {
  readonly text: string | null;
  readonly number: number | null;
  readonly texts: readonly string[];
  readonly list: readonly unknown[];
  readonly object: object;
  readonly error: unknown;
}

interface FieldEntry {
  readonly kind: keyof FieldTypes;
  readonly means: string;
}

/** Every field of a line, beside `level`, `time`, `pid`, `event` and `msg`. A name means the same on every line. */
export const LOG_FIELDS = {
  action: { kind: 'text', means: 'the action of an audit entry' },
  applied: { kind: 'texts', means: 'the migrations that were run' },
  newer: { kind: 'texts', means: 'the migrations that a newer release has run' },
  attempt: { kind: 'number', means: 'which attempt at a job it is, from 1' },
  behind_ms: { kind: 'number', means: 'how long nothing was heard; null: never anything' },
  code: { kind: 'text', means: 'the code of the problem that the client was answered' },
  connections: { kind: 'number', means: 'how many connections to a server' },
  cores: { kind: 'number', means: 'how many cores a docking may use' },
  count: { kind: 'number', means: 'of how many the list shows the first' },
  counts: { kind: 'object', means: 'organizations by the state of their migration' },
  cut: { kind: 'text', means: 'why the service ended the connection before the end of the answer' },
  data: { kind: 'text', means: 'the folder of the embedded server' },
  database: { kind: 'text', means: 'the name of a database on its server' },
  databases: { kind: 'texts', means: 'names of databases, the first of them' },
  db_ms: { kind: 'number', means: 'how long the request held connections, added up' },
  delay_ms: { kind: 'number', means: 'how long a stop waits for load balancers' },
  delay_seconds: { kind: 'number', means: 'for how long no other worker gets the job' },
  duration_ms: { kind: 'number', means: 'how long it took' },
  endpoint: { kind: 'text', means: 'the collector of traces' },
  engine: { kind: 'text', means: 'the version of the docking program' },
  err: { kind: 'error', means: 'the error, with its causes and its stack' },
  error: { kind: 'text', means: 'the code or the kind of an error whose message may hold values' },
  expected: { kind: 'text', means: 'the stamp in the ledger' },
  failures: { kind: 'object', means: 'what failed' },
  finding: { kind: 'object', means: 'what the reconciler found, and what it did' },
  findings: { kind: 'number', means: 'how many databases were not as recorded' },
  fit: { kind: 'text', means: 'whether a schema is below or above what the release serves' },
  found: { kind: 'text', means: 'the stamp in the database' },
  held_ms: { kind: 'number', means: 'how long a lease has been held' },
  host: { kind: 'text', means: 'the address that the service listens on' },
  instance: { kind: 'text', means: 'the id of a process of the service' },
  interruption: { kind: 'text', means: 'why the service wants no more of the job' },
  job_id: { kind: 'text', means: 'a job' },
  jobs: { kind: 'number', means: 'how many jobs the worker holds' },
  log: { kind: 'text', means: 'the file of the embedded server’s own log' },
  meant: { kind: 'text', means: 'the variable of the nearest name; null: none is near' },
  memory_mb: { kind: 'number', means: 'how much memory a docking may use; null: any' },
  method: { kind: 'text', means: 'the HTTP method' },
  name: { kind: 'text', means: 'the name of a worker' },
  org_id: { kind: 'text', means: 'the organization; null: none' },
  org_ids: { kind: 'texts', means: 'organizations, the first of them' },
  organizations: { kind: 'number', means: 'how many organizations' },
  outcome: { kind: 'text', means: 'how a job ended' },
  path: { kind: 'text', means: 'how a database was made: from a spare, a template, or by migrations' },
  pause_ms: { kind: 'number', means: 'when it is tried again' },
  phase: { kind: 'text', means: 'a phase of the stop' },
  problem: { kind: 'text', means: 'what is wrong with a server that answers' },
  queries: { kind: 'number', means: 'how many statements the request sent to its organization’s database' },
  reason: { kind: 'text', means: 'why, in words or by a code, without a stack' },
  reasons: { kind: 'texts', means: 'why, the first few' },
  recorded_databases: { kind: 'number', means: 'how many databases the ledger has on a server' },
  request_id: { kind: 'text', means: 'the request, as in `X-Request-Id`' },
  route: { kind: 'text', means: 'the route’s pattern; `unmatched`: there is none' },
  rows: { kind: 'number', means: 'how many rows' },
  run: { kind: 'number', means: 'the id of a migration run' },
  same_as: { kind: 'text', means: 'the server that is the same cluster' },
  schema_version: { kind: 'number', means: 'the version of a results schema' },
  server: { kind: 'text', means: 'the id of a server of results databases' },
  servers: { kind: 'list', means: 'several servers' },
  service: { kind: 'text', means: 'the URL of the service, as the worker knows it' },
  share: { kind: 'number', means: 'the connections that a process had a right to' },
  signal: { kind: 'text', means: 'the signal that the process got' },
  slots: { kind: 'number', means: 'how many jobs the worker takes at once' },
  statement: { kind: 'text', means: 'the name of a statement, or its text without values' },
  status: { kind: 'number', means: 'the HTTP status; 499: the client went away' },
  step: { kind: 'text', means: 'a step of provisioning' },
  timeout_ms: { kind: 'number', means: 'how long a stop may take' },
  took_ms: { kind: 'number', means: 'how long a stop took' },
  trace_id: { kind: 'text', means: 'the trace of a request or a job, where it is recorded' },
  unfinished: { kind: 'texts', means: 'the phases of a stop that did not end' },
  unreachable: { kind: 'object', means: 'the servers that could not be looked at, and why' },
  url: { kind: 'text', means: 'the URL that the service listens on' },
  variable: { kind: 'text', means: 'an environment variable' },
  waited_ms: {
    kind: 'number',
    means: 'how long the request waited for its pool and for connections, added up',
  },
  wall_seconds: { kind: 'number', means: 'how long a docking took' },
} as const satisfies Record<string, FieldEntry>;

export type LogFieldName = keyof typeof LOG_FIELDS;

/** One event of the catalogue. Its name is `<subject>.<what happened>`, and never changes. */
export interface LogEvent {
  readonly level: LogLevel;
  /** `msg` of the line. */
  readonly message: string;
  /** On every line of the event. */
  readonly fields: readonly LogFieldName[];
  /** On the lines where they apply. */
  readonly optional?: readonly LogFieldName[];
  readonly means: string;
  /** What an operator does about it; null: nothing. */
  readonly advice: string | null;
}

type ValueOf<Name extends LogFieldName> = FieldTypes[(typeof LOG_FIELDS)[Name]['kind']];

/** The fields of a line of the event, as the logger takes them. */
export type FieldsOf<Event extends Pick<LogEvent, 'fields' | 'optional'>> = {
  readonly [Name in Event['fields'][number]]: ValueOf<Name>;
} & {
  readonly [Name in NonNullable<Event['optional']>[number]]?: ValueOf<Name> | undefined;
};
