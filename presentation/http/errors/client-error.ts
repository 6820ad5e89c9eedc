import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { ErrorCode } from './error-status.ts';
import { toFailure } from './failure.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { HttpError } from './http-error.ts';
import { problemOf } from './problem.ts';

/** By the codes of Node's HTTP parser and server. Any other code means that the request is malformed. */
const FAILURES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The headers of the request are larger than 16 KiB.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['body_too_large', 'The chunk extensions of the body are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
};
const MALFORMED = ['malformed_request', 'This is not an HTTP/1.1 request.'] as const;

/** The response to a request that has begun on the connection. It has no locals before the app has seen it. */
type BegunResponse = ServerResponse & { readonly locals?: { readonly requestId?: string } };

/**
 * Writes the whole response, status line and headers included, to bytes that Node could not read as a request. No
 * middleware sees such a request, so this logs and counts it as the access log does.
 *
 * @returns the response as text, under the id of the request that has begun, if there is one
 */
export const answerClientError =
  ({ logger, httpMetrics }: Pick<HttpDependencies, 'logger' | 'httpMetrics'>) =>
  (error: Error, begun?: BegunResponse): string => {
    const requestId = begun?.locals?.requestId ?? randomUUID();
    const reason = 'code' in error && typeof error.code === 'string' ? error.code : '';
    const failure = toFailure(new HttpError(...(FAILURES[reason] ?? MALFORMED)));
    const problem = problemOf(failure, requestId);
    const body = JSON.stringify(problem);
    const { status } = problem;
    const route = 'unmatched';
    httpMetrics.observe({ method: 'unknown', route, status, seconds: 0 });
    // Never the error itself: it holds the bytes that the client sent.
    logger.write('request.refused', { request_id: requestId, route, status, code: failure.code, reason });
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
