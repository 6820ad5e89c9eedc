import pg from 'pg';
import { DatabaseConnectionError, DomainError } from '../../domain/exceptions.ts';

/** SQLSTATEs that this service acts on. */
export const SqlState = {
  invalidCatalogName: '3D000',
  duplicateDatabase: '42P04',
  uniqueViolation: '23505',
  dependentObjectsStillExist: '2BP01',
  duplicateObject: '42710',
  objectInUse: '55006',
  lockNotAvailable: '55P03',
  deadlockDetected: '40P01',
  undefinedTable: '42P01',
  undefinedColumn: '42703',
  tooManyConnections: '53300',
  cannotConnectNow: '57P03',
  featureNotSupported: '0A000',
  readOnlySqlTransaction: '25006',
  invalidStatementName: '26000',
  invalidAuthorization: '28000',
  invalidPassword: '28P01',
  insufficientPrivilege: '42501',
  undefinedObject: '42704',
  queryCanceled: '57014',
} as const;

/** Raised when none of the servers that a URL names can be used; the cause is what tells most of their errors. */
export class NoServerError extends Error {
  override readonly name = 'NoServerError';

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

/** Raised for a server that took the login and is not what the connection is for. */
export class TargetSessionError extends Error {
  override readonly name = 'TargetSessionError';
}

export const sqlStateOf = (error: unknown): string | null => {
  if (error instanceof NoServerError) return sqlStateOf(error.cause);
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null;
};

/** States in which the server answers but does not let the statement, or the login, through for now. */
const UNAVAILABLE = /^(?:08|25006|28|40001|40P01|53|55P03|57P|58|3D000|55000|57014)/;

/** After these the server hangs up, or is not the primary any more. */
const FATAL = /^(?:08|25006|57P)/;

/**
 * Whether the connection is gone with this error. Whatever the driver raises that is not the server's answer
 * (reset, broken pipe, "Connection terminated", time-out) leaves the connection in an unknown state.
 */
export const breaksConnection = (error: unknown): boolean => {
  const sqlState = sqlStateOf(error);
  return sqlState === null ? !(error instanceof DomainError) : FATAL.test(sqlState);
};

/**
 * Whether the server does not run a named statement as it was prepared on this connection: its table was changed, or the
 * session has forgotten it. It never ran, so a write may be sent again as well as a read.
 */
export const isStaleStatement = (error: unknown): boolean => {
  const sqlState = sqlStateOf(error);
  if (sqlState === SqlState.invalidStatementName) return true;
  // The same state stands for all that PostgreSQL cannot do.
  return sqlState === SqlState.featureNotSupported && routineOf(error) === 'RevalidateCachedQuery';
};

/** Where in PostgreSQL's source the error was raised: says more than its state, and the same in every language. */
const routineOf = (error: unknown): string | undefined => {
  if (error instanceof NoServerError) return routineOf(error.cause);
  return error instanceof pg.DatabaseError ? error.routine : undefined;
};

/** Whether a new connection would not be told this: the primary has moved, or a statement has to be prepared anew. */
export const isOutlived = (error: unknown): boolean =>
  sqlStateOf(error) === SqlState.readOnlySqlTransaction || isStaleStatement(error);

/** What callers see: an unreachable database as `DatabaseConnectionError`, every other error as it is. */
export const translateError = (error: unknown, databaseName: string): unknown => {
  if (error instanceof DomainError) return error;
  const sqlState = sqlStateOf(error);
  const unavailable =
    sqlState === null ? isDriverError(error) : UNAVAILABLE.test(sqlState) || isStaleStatement(error);
  return unavailable
    ? new DatabaseConnectionError(`The database "${databaseName}" cannot be used now.`, error)
    : error;
};

/** Errors of sockets, and what gathers those of several addresses, carry an errno name; the driver's only a message. */
export const isDriverError = (error: unknown): boolean =>
  error instanceof Error &&
  (error instanceof NoServerError ||
    ('code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)) ||
    // A TypeError that mentions a client is a bug of ours, not an outage.
    (error.constructor === Error && DRIVER_MESSAGE.test(error.message)));

const DRIVER_MESSAGE =
  /^(?:connection terminated|client (?:has|was)|query read timeout|timeout e|the server does not support ssl|there was an error establishing an ssl|sasl: |the connection was cancelled)/i;

/** Of a connect: the server itself is away, whatever database was asked for. A time-out may be one database's own. */
export const isServerFailure = (error: unknown): boolean => {
  const sqlState = sqlStateOf(error);
  if (sqlState !== null) return SERVER_AWAY.test(sqlState);
  if (error instanceof NoServerError)
    return error.cause instanceof TargetSessionError || isServerFailure(error.cause);
  return error instanceof Error && 'code' in error && UNREACHABLE.test(String(error.code));
};

const SERVER_AWAY = /^57P0[123]$/;
const UNREACHABLE = /^(?:ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EPIPE|ENOENT)$/;

/** Of a connect: the server is alive and said no. */
export const isServerAnswer = (error: unknown): boolean =>
  sqlStateOf(error) !== null || error instanceof DomainError;

/** Of a connect: the server takes no more connections, rather than the database, whose limit has the same state. */
export const isServerFull = (error: unknown): boolean =>
  sqlStateOf(error) === SqlState.tooManyConnections && routineOf(error) !== 'CheckMyDatabase';
