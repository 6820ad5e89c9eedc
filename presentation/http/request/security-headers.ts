import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';
import type { Opening } from './http-locals.ts';

/**
 * Sets Helmet's headers, which are computed once because every response has the same. `upgrade-insecure-requests` is left
 * out: TLS ends in front of this service, and the directive breaks `/docs` on a plain HTTP address. No cache may store a
 * response.
 */
export const securityHeaders = (): Opening => {
  const sample = new ServerResponse(new IncomingMessage(new Socket()));
  helmet({ contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } } })(
    sample.req,
    sample,
    (error) => {
      if (error instanceof Error) throw error;
    },
  );
  const headers = Object.entries({ ...sample.getHeaders(), 'cache-control': 'no-store' });

  return (_req, res) => {
    for (const [name, value] of headers) {
      if (value !== undefined) res.setHeader(name, value);
    }
  };
};
