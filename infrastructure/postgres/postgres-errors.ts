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
  notAccepting: '55000',
  lockNotAvailable: '55P03',
  deadlockDetected: '40P01',
  undefinedTable: '42P01',
  undefinedColumn: '42703',
  undefinedFunction: '42883',
  tooManyConnections: '53300',
  adminShutdown: '57P01',
  cannotConnectNow: '57P03',
  featureNotSupported: '0A000',
  readOnlySqlTransaction: '25006',
  invalidStatementName: '26000',
  protocolViolation: '08P01',
  invalidAuthorization: '28000',
  invalidPassword: '28P01',
  insufficientPrivilege: '42501',
  undefinedObject: '42704',
  undefinedFile: '58P01',
  idleSessionTimeout: '57P05',
  transactionTimeout: '25P04',
  diskFull: '53100',
  ioError: '58030',
  queryCanceled: '57014',
  internalError: 'XX000',
} as const;

/** Raised when no server of a URL can be used. The cause is the most specific of their errors. */
export class NoServerError extends Error {
  override readonly name = 'NoServerError';

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

/** Raised when a server accepts the login but is not of the kind that `target_session_attrs` asks for. */
export class TargetSessionError extends Error {
  override readonly name: string = 'TargetSessionError';
}

/** Raised when a server takes writes, and must not any more: another one has replaced it, or is the one that is meant. */
export class OutdatedServerError extends TargetSessionError {
  override readonly name = 'OutdatedServerError';
}

const POOLER_PROBLEMS = {
  unnamed: 'it is a connection pooler: DB_ADMIN_URL has to name the server behind it (docs/poolers.md)',
  transaction: 'it is a connection pooler in transaction mode: session mode is needed (docs/poolers.md)',
} as const;

/** Raised when a session goes through a pooler in a way that is not supported. Decision 0038. */
export class PooledSessionError extends TargetSessionError {
  override readonly name = 'PooledSessionError';

  /** @param problem the pooler stands where the server itself is needed, or does not work by sessions */
  constructor(problem: keyof typeof POOLER_PROBLEMS, options?: ErrorOptions) {
    super(POOLER_PROBLEMS[problem], options);
  }
}

/** Raised when a server asks who the client is in a way that must not be answered. */
export class AuthenticationRefusedError extends Error {
  override readonly name = 'AuthenticationRefusedError';
}

/** The server's SQLSTATE; null for every error that is not a server's answer. */
export const sqlStateOf = (error: unknown): string | null => {
  if (error instanceof NoServerError) return sqlStateOf(error.cause);
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null;
};

/** SQLSTATEs with which a server refuses a statement or login for now. 42P05 comes of a pooler in transaction mode alone. */
const UNAVAILABLE = /^(?:42P05|08|25006|28|40001|40P01|53|55P03|57P|58|3D000|55000|57014)/;

/** SQLSTATEs after which the server closes the connection, or has become a standby. */
const FATAL = /^(?:08|25006|57P)/;

/**
 * Whether this error makes the connection unusable. An error of the driver itself (reset, broken pipe, "Connection
 * terminated", time-out) leaves the connection in an unknown state, so it does.
 */
export const breaksConnection = (error: unknown): boolean => {
  const sqlState = sqlStateOf(error);
  return sqlState === null ? !(error instanceof DomainError) : FATAL.test(sqlState);
};

/**
 * Whether the server refused to run a prepared statement because a table has changed, or because the session no
 * longer has the statement. The statement did not run, so the caller may send it again, even a write.
 */
export const isStaleStatement = (error: unknown): boolean => {
  const sqlState = sqlStateOf(error);
  if (sqlState === SqlState.invalidStatementName) return true;
  // PostgreSQL uses this SQLSTATE for every unsupported feature, so the routine decides.
  return sqlState === SqlState.featureNotSupported && routineOf(error) === 'RevalidateCachedQuery';
};

/** The C function that raised the error. It is more specific than the SQLSTATE, and never translated. */
const routineOf = (error: unknown): string | undefined => {
  if (error instanceof NoServerError) return routineOf(error.cause);
  return error instanceof pg.DatabaseError ? error.routine : undefined;
};

/** Whether a new connection avoids this error: the primary has changed, or a statement must be prepared again. */
export const isOutlived = (error: unknown): boolean =>
  sqlStateOf(error) === SqlState.readOnlySqlTransaction || isStaleStatement(error);

/** Whether another session changed the same row of the catalogue meanwhile: PostgreSQL lets the later one fail. */
export const isCatalogueConflict = (error: unknown): boolean =>
  sqlStateOf(error) === SqlState.internalError && routineOf(error) === 'simple_heap_update';

/** Whether a pooler refused the parameters that a session begins with. PostgreSQL has another SQLSTATE for that. */
export const isStartupRefusal = (error: unknown): boolean =>
  sqlStateOf(error) === SqlState.protocolViolation &&
  error instanceof Error &&
  error.message.startsWith('unsupported startup parameter');

/** Raised when a role has all the connections that it may have, in this process and elsewhere. */
export class RoleFullError extends DatabaseConnectionError {
  constructor(cause: unknown) {
    super("The organization's role has no connection left.", cause);
  }
}

/** Wraps an error that means "unreachable for now" in a `DatabaseConnectionError`. Returns others unchanged. */
export const translateError = (error: unknown, databaseName: string): unknown => {
  if (error instanceof DomainError) return error;
  const sqlState = sqlStateOf(error);
  const unavailable =
    sqlState === null ? isDriverError(error) : UNAVAILABLE.test(sqlState) || isStaleStatement(error);
  return unavailable
    ? new DatabaseConnectionError(`The database "${databaseName}" cannot be used now.`, error)
    : error;
};

/** Recognizes socket errors, also aggregates of them, by the errno name, and the driver's by the message. */
export const isDriverError = (error: unknown): boolean =>
  error instanceof Error &&
  (error instanceof NoServerError ||
    error instanceof AuthenticationRefusedError ||
    ('code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)) ||
    // A subclass such as TypeError is a bug in this code, whatever its message says.
    (error.constructor === Error && DRIVER_MESSAGE.test(error.message)));

const DRIVER_MESSAGE =
  /^(?:connection terminated|client (?:has|was)|query read timeout|timeout e|the server does not support ssl|there was an error establishing an ssl|sasl: |the connection was cancelled)/i;

/**
 * Whether a failed connect shows that the whole server is down. A time-out does not: it may concern one database. Nor does
 * 57P01: an administrator may have ended this session alone, as the service does with those in a database that it renames.
 */
export const isServerFailure = (error: unknown): boolean => {
  const sqlState = sqlStateOf(error);
  if (sqlState !== null) return SERVER_AWAY.test(sqlState);
  if (error instanceof NoServerError)
    return error.cause instanceof TargetSessionError || isServerFailure(error.cause);
  return error instanceof Error && 'code' in error && UNREACHABLE.test(String(error.code));
};

const SERVER_AWAY = /^57P0[23]$/;
const UNREACHABLE = /^(?:ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EPIPE|ENOENT)$/;

/** Whether a failed connect shows that the server is alive and refused. 57P01 does not: the server may be going. */
export const isServerAnswer = (error: unknown): boolean => {
  const sqlState = sqlStateOf(error);
  return sqlState === null ? error instanceof DomainError : sqlState !== SqlState.adminShutdown;
};

/** Whether a failed connect shows that the server is full. A full database has the same SQLSTATE. */
export const isServerFull = (error: unknown): boolean =>
  sqlStateOf(error) === SqlState.tooManyConnections && routineOf(error) !== 'CheckMyDatabase';

/** Whether a login was refused as its role has all the connections that it may have. */
export const isRoleFull = (error: unknown): boolean =>
  sqlStateOf(error) === SqlState.tooManyConnections && routineOf(error) === 'InitializeSessionUserId';
