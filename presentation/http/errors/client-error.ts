import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { ErrorCode } from './error-status.ts';
import { problemOf } from '../request/error-handler.ts';
import { toFailure } from './failure.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { HttpError } from './http-error.ts';

/** Node's names for what it does not take for a request of HTTP; whatever else it finds wrong is malformed. */
const CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The headers of the request are larger than 16 KiB.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['body_too_large', 'The chunk extensions of the body are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
};
const MALFORMED = ['malformed_request', 'This is not a request of HTTP/1.1.'] as const;

/**
 * Makes the whole response, headers included, to what never became a whole request: no step of the pipeline sees it.
 * Logs and counts it as the access log does. A request that has begun has an id already.
 */
export const answerClientError =
  ({ logger, httpMetrics }: Pick<HttpDependencies, 'logger' | 'httpMetrics'>) =>
  (error: Error, requestId: string = randomUUID()): string => {
    const reason = 'code' in error && typeof error.code === 'string' ? error.code : '';
    const failure = toFailure(new HttpError(...(CODES[reason] ?? MALFORMED)));
    const problem = problemOf(failure, requestId);
    const body = JSON.stringify(problem);
    const { status } = problem;
    const route = 'unmatched';
    httpMetrics.observe({ method: 'unknown', route, status, seconds: 0 });
    // Not the error itself: it carries what was sent.
    logger.info({ request_id: requestId, route, status, code: failure.code, reason }, 'request refused');
    return [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Cache-Control: no-store',
      'X-Content-Type-Options: nosniff',
      `X-Request-Id: ${requestId}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n');
  };
