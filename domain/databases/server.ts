import { ValidationError } from '../validation-error.ts';

declare const brand: unique symbol;

/** A checked name of a PostgreSQL server. `parseServerId` is its only maker, apart from `DEFAULT_SERVER`. */
export type ServerId = string & { readonly [brand]: 'ServerId' };

/** Lower-case letters, digits and `_`; begins with a letter; 1 to 30 characters. Also used by OpenAPI. */
export const SERVER_ID_PATTERN = /^[a-z][a-z0-9_]{0,29}$/;

/** Names the server of the metadata database where the service reports on servers. */
const RESERVED: ReadonlySet<string> = new Set(['metadata']);

/** PostgreSQL's largest `integer`. */
export const MAX_DATABASES = 2_147_483_647;
export const MAX_WEIGHT = 10_000;

/** The server that DB_RESULTS_DB_TEMPLATE names. */
// It satisfies the pattern, and is not reserved.
export const DEFAULT_SERVER = 'default' as ServerId;

/** The rule that `value` breaks, or null. */
export const serverIdProblem = (value: string): string | null => {
  if (!SERVER_ID_PATTERN.test(value)) {
    return 'must consist of 1 to 30 lower-case letters, digits and "_", and begin with a letter';
  }
  return RESERVED.has(value) ? 'is reserved' : null;
};

/** @throws {ValidationError} naming `path`, when the id breaks a rule */
export const parseServerId = (value: string, path = 'server_id'): ServerId => {
  const problem = serverIdProblem(value);
  if (problem !== null) throw new ValidationError([{ path, message: problem }]);
  // The check above is the proof.
  return value as ServerId;
};

export const SERVER_STATUSES = ['active', 'draining', 'disabled'] as const;

/**
 * What the operator wants of a server. Whether it can be reached is another matter. A `draining` and a `disabled` server
 * take no new databases; what they hold stays served.
 */
export type ServerStatus = (typeof SERVER_STATUSES)[number];

/** What is wrong with a server that answers. `SERVER_PROBLEM_TEXTS` says what each means. */
export const SERVER_PROBLEMS = [
  'disk_full',
  'io_error',
  'cannot_create_databases',
  'cannot_create_roles',
] as const;
export type ServerProblem = (typeof SERVER_PROBLEMS)[number];

export const SERVER_PROBLEM_TEXTS: Readonly<Record<ServerProblem, string>> = {
  disk_full: 'its disk is full',
  io_error: 'it cannot read or write its files',
  cannot_create_databases: 'its login may not create databases',
  cannot_create_roles: 'its login may not create roles, and DB_ORG_ROLES is on',
};

/** What may follow what. A server that was disabled may be drained before it is removed. */
export const SERVER_MOVES: Readonly<Record<ServerStatus, readonly ServerStatus[]>> = {
  active: ['draining', 'disabled'],
  draining: ['active', 'disabled'],
  disabled: ['active', 'draining'],
};

/** Free words of an operator about a server, such as `region: eu`. `labelProblems` says which form they have. */
export type ServerLabels = Readonly<Record<string, string>>;

/** Lower-case letters, digits, `_`, `.` and `-`; begins with a letter; 1 to 40 characters. Also used by OpenAPI. */
export const LABEL_NAME_PATTERN = /^[a-z][a-z0-9_.-]{0,39}$/;
/** Letters, digits, `_`, `.` and `-`; begins with a letter or digit; 1 to 60 characters. Also used by OpenAPI. */
export const LABEL_VALUE_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$/;
export const MAX_LABELS = 20;

export interface LabelProblem {
  /** Of the label; null: it concerns all of them. */
  readonly name: string | null;
  readonly message: string;
}

/** The rules that labels break; none when they may be kept. */
export const labelProblems = (labels: ServerLabels): readonly LabelProblem[] => {
  const entries = Object.entries(labels);
  const problems = entries.map(([name, value]) => ({ name, message: labelProblem(name, value) }));
  return [
    ...(entries.length > MAX_LABELS ? [{ name: null, message: `must be at most ${MAX_LABELS}` }] : []),
    ...problems.flatMap(({ name, message }) => (message === null ? [] : [{ name, message }])),
  ];
};

const labelProblem = (name: string, value: string): string | null => {
  if (!LABEL_NAME_PATTERN.test(name)) return LABEL_NAME_RULE;
  return LABEL_VALUE_PATTERN.test(value) ? null : LABEL_VALUE_RULE;
};

const LABEL_NAME_RULE =
  'must be named by 1 to 40 lower-case letters, digits, "_", "." and "-", and begin with a letter';
const LABEL_VALUE_RULE =
  'must be 1 to 60 letters, digits, "_", "." and "-", and begin with a letter or digit';

/** A PostgreSQL server for results databases, as the metadata database records it. Its URL stays in the environment. */
export interface ResultsServerRecord {
  readonly serverId: ServerId;
  readonly status: ServerStatus;
  /** From 1 to `MAX_WEIGHT`. A server of twice the weight takes twice the databases. */
  readonly weight: number;
  /** Most databases of organizations that it takes; null: no limit. */
  readonly maxDatabases: number | null;
  /** Databases of organizations that are there, those being made included. */
  readonly databases: number;
  readonly labels: ServerLabels;
  /** The cluster's own identifier, by which one cluster under two names is found out; null until it was reached. */
  readonly systemIdentifier: string | null;
}

/** Where an organization's database has to be. It is a legal matter: the database is never placed elsewhere. */
export interface PlacementPin {
  /** Null: any server. */
  readonly serverId: ServerId | null;
  /** The server has to have all of these. */
  readonly labels: ServerLabels;
}

/** The pin of an organization that may be anywhere. */
export const ANYWHERE: PlacementPin = { serverId: null, labels: {} };
