import cors from 'cors';
import type { RequestHandler } from 'express';

const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of these origins call the API (CORS). Tokens travel in a header that a page has to set, so there are no
 * credentials that a browser would add by itself.
 *
 * @param origins such as `https://lab.example`; `*` stands for all
 */
export const allowOrigins = (origins: readonly string[]): RequestHandler =>
  cors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'Audit-Reason',
      'Authorization',
      'Content-Digest',
      'Content-Disposition',
      'Content-Type',
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'If-Range',
      'Last-Event-ID',
      'Range',
      'traceparent',
      'tracestate',
      'X-Lease-Id',
      'X-Org-Id',
      'X-Request-Id',
    ],
    exposedHeaders: [
      'Accept-Ranges',
      'Content-Disposition',
      'Content-Range',
      'ETag',
      'Location',
      'Retry-After',
      'WWW-Authenticate',
      'X-Request-Id',
    ],
    maxAge: PREFLIGHT_SECONDS,
  });
