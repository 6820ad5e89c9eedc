import type { HttpDependencies } from '../http-dependencies.ts';
import { HttpError } from '../errors/http-error.ts';
import type { HttpRequest, Middleware } from './http-locals.ts';
import { accessLog } from './access-log.ts';
import { requestContext } from './request-context.ts';
import { traceRequest } from './trace-request.ts';

/**
 * Runs first on every request. Everything that is logged from here on finds the request's context. It is one layer of
 * Express: the overhead of a layer is more than the work of all these openings.
 */
export const openRequest = (deps: HttpDependencies): Middleware => {
  const { tracing } = deps;
  const openings = [
    requestContext(deps),
    ...(tracing === null ? [] : [traceRequest(tracing)]),
    accessLog(deps),
  ];
  return (req, res, next) => {
    for (const open of openings) open(req, res);
    checkFraming(req);
    deps.runWithRequestContext(res.locals.context, next);
  };
};

/** Refuses what Node's parser lets through. @throws {HttpError} */
const checkFraming = ({ headers, httpVersion }: HttpRequest): void => {
  // RFC 9112, section 3.2.
  if (headers.host === undefined && httpVersion === '1.1')
    throw new HttpError('malformed_request', 'An HTTP/1.1 request must name its host.');
  // RFC 9112, section 6.1: Node undoes `chunked` alone, and would hand over compressed bytes as the body.
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked')
    throw new HttpError(
      'transfer_coding_unsupported',
      'The only transfer coding that is understood is chunked.',
    );
  // RFC 9110, section 10.1.1.
  if (
    httpVersion === '1.1' &&
    headers.expect !== undefined &&
    headers.expect.toLowerCase() !== '100-continue'
  )
    throw new HttpError('expectation_failed', 'The only expectation that is understood is 100-continue.');
};
