import { OrganizationNotReadyError, type NotReadyReason } from '../../../domain/databases/errors.ts';
import { DatabaseError, DomainError } from '../../../domain/exceptions.ts';
import {
  OrganizationChoiceRequiredError,
  TooManyAttemptsError,
  UnauthenticatedError,
} from '../../../domain/identity/errors.ts';
import { WorkerBenchedError } from '../../../domain/jobs/errors.ts';
import { ValidationError, type InputIssue } from '../../../domain/validation-error.ts';
import { errorStatus, isErrorCode, type ErrorCode } from './error-status.ts';
import { HttpError } from './http-error.ts';

/** What a client needs besides the code, to do better. */
export interface FailureExtension {
  readonly errors?: readonly InputIssue[];
  readonly organizations?: readonly string[];
}

/** An error as the client and the log see it. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
  /** Further fields of the answer (RFC 9457, 3.2). */
  readonly extension: FailureExtension;
  readonly headers: Readonly<Record<string, string>>;
  /** Never sent: only the log sees it. */
  readonly error: unknown;
}

/** By the `type` of raw-body's errors. */
const BODY_ERRORS: Readonly<Record<string, (error: BodyError) => readonly [ErrorCode, string]>> = {
  'request.size.invalid': () => ['malformed_json', 'The body is not as long as announced.'],
  'entity.too.large': ({ limit = 0 }) => [
    'body_too_large',
    `The body is larger than ${limit / 1024} KiB, the most that this route takes.`,
  ],
};

type BodyError = Error & { readonly limit?: number };

/** Turns what a step threw into a failure. An error that is not recognized becomes `internal_error`. */
export const toFailure = (error: unknown): Failure => {
  if (error instanceof HttpError) return failure(error.code, error.message, error, error.headers);
  if (error instanceof DomainError && isErrorCode(error.code)) return fromDomain(error.code, error);
  if (error instanceof Error) {
    const bodyError = 'type' in error && typeof error.type === 'string' ? BODY_ERRORS[error.type] : undefined;
    if (bodyError !== undefined) return failure(...bodyError(error), error);
    // Express's router throws it for a path that cannot be percent-decoded.
    if (error instanceof URIError && 'status' in error) return failure('not_found', NO_SUCH_ROUTE, error);
  }
  return failure('internal_error', '', error);
};

export const NO_SUCH_ROUTE = 'There is no such route.';

/** Who can mend it. The error's message may name a database. */
const NOT_READY: Readonly<Partial<Record<NotReadyReason, string>>> = {
  older_schema: "An operator has to migrate the organization's database before this release can serve it.",
  newer_schema: "The organization's database belongs to a newer release than the one that answers.",
};

const fromDomain = (code: ErrorCode, error: DomainError): Failure =>
  failure(code, error.message, error, headersOf(error), extensionOf(error));

const extensionOf = (error: DomainError): FailureExtension => {
  if (error instanceof OrganizationChoiceRequiredError) return { organizations: error.organizations };
  if (!(error instanceof ValidationError)) return {};
  return { errors: error.issues.map(({ path, message }) => ({ path, message })) };
};

const headersOf = (error: DomainError): Readonly<Record<string, string>> => {
  if (error instanceof UnauthenticatedError) return { 'WWW-Authenticate': 'Bearer' };
  if (error instanceof TooManyAttemptsError || error instanceof WorkerBenchedError)
    return { 'Retry-After': String(error.retryAfterSeconds) };
  return {};
};

const failure = (
  code: ErrorCode,
  detail: string,
  error: unknown,
  headers: Readonly<Record<string, string>> = {},
  extension: FailureExtension = {},
): Failure => {
  const { detail: usualDetail, retryAfterSeconds: usual } = errorStatus(code);
  const fixedDetail = error instanceof OrganizationNotReadyError ? NOT_READY[error.reason] : undefined;
  const known = error instanceof DatabaseError ? error.retryAfterMs : null;
  const retryAfterSeconds = known === null ? usual : Math.max(1, Math.ceil(known / 1000));
  return {
    code,
    detail: fixedDetail ?? usualDetail ?? detail,
    extension,
    headers:
      retryAfterSeconds === undefined ? headers : { ...headers, 'Retry-After': String(retryAfterSeconds) },
    error,
  };
};
