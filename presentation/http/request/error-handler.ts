import type { NextFunction } from 'express';
import type { InputIssue } from '../../../domain/exceptions.ts';
import type { Logger } from '../../../application/ports/runtime/logger.ts';
import { errorStatus } from '../errors/error-status.ts';
import { toFailure, type Failure } from '../errors/failure.ts';
import type { HttpRequest, HttpResponse } from './http-locals.ts';

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly request_id: string;
  readonly errors?: readonly InputIssue[];
}

/** RFC 9457. `instance` is made of the request id alone: nothing of the request is echoed. */
export const problemOf = ({ code, detail, issues }: Failure, requestId: string): Problem => {
  const { status, title } = errorStatus(code);
  return {
    type: `urn:mad:problem:${code}`,
    title,
    status,
    detail,
    instance: `urn:mad:request:${requestId}`,
    code,
    request_id: requestId,
    ...(issues === null ? {} : { errors: issues.map(({ path, message }) => ({ path, message })) }),
  };
};

/** Answers with a problem and leaves the failure to the access log, which writes the request's one line. */
export const handleErrors =
  (logger: Logger) =>
  // Express tells an error handler by its four parameters.
  (error: unknown, _req: HttpRequest, res: HttpResponse, _next: NextFunction): void => {
    const failure = toFailure(error);
    const { requestId } = res.locals;
    if (isAbort(error)) {
      res.destroy();
      return;
    }
    if (res.closed) {
      // The client went away: its line is written, and only a fault of ours is worth another.
      if (failure.code === 'internal_error') {
        logger.error({ err: error, request_id: requestId, code: failure.code }, 'request failed');
      }
      return;
    }
    res.locals.failure = failure;
    if (res.headersSent) {
      res.destroy();
      return;
    }
    res
      .status(errorStatus(failure.code).status)
      .set(failure.headers)
      .type('application/problem+json')
      .json(problemOf(failure, requestId));
  };

/** raw-body's ways of saying that the client stopped sending. */
const isAbort = (error: unknown): boolean =>
  error instanceof Error &&
  'type' in error &&
  (error.type === 'request.aborted' || error.type === 'stream.not.readable');
