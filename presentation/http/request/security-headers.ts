import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';
import type { Opening } from './http-locals.ts';

/**
 * Helmet's headers, asked for once: they are the same for every response. Without `upgrade-insecure-requests`, which
 * would break `/docs` on a plain HTTP address; TLS ends in front of this service. Nothing is to be stored on the way.
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
