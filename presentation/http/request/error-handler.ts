import type { NextFunction } from 'express';
import type { Logger } from '../../../application/ports/runtime/logger.ts';
import { errorStatus } from '../errors/error-status.ts';
import { toFailure } from '../errors/failure.ts';
import { problemOf } from '../errors/problem.ts';
import type { HttpRequest, HttpResponse } from './http-locals.ts';

/** Answers with a problem. Logs nothing for an open response: the access log writes one line for each request. */
export const handleErrors =
  (logger: Logger) =>
  // Express recognizes an error handler by its four parameters.
  (error: unknown, _req: HttpRequest, res: HttpResponse, _next: NextFunction): void => {
    const failure = toFailure(error);
    const { requestId } = res.locals;
    if (isAbort(error)) {
      res.destroy();
      return;
    }
    if (res.closed) {
      // The client went away and the access log has written its line. Only a fault of the service needs another.
      if (failure.code === 'internal_error') {
        logger.write('request.failed_unheard', { err: error, request_id: requestId, code: failure.code });
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

/** Whether raw-body reports that the client stopped sending. */
const isAbort = (error: unknown): boolean =>
  error instanceof Error &&
  'type' in error &&
  (error.type === 'request.aborted' || error.type === 'stream.not.readable');
