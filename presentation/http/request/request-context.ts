import { randomUUID } from 'node:crypto';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { Opening } from './http-locals.ts';

const SANE_REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Gives the request its id, and its steps a place for what they find. */
export const requestContext =
  ({ options }: Pick<HttpDependencies, 'options'>): Opening =>
  (req, res) => {
    const asked = req.headers['x-request-id'];
    const requestId = typeof asked === 'string' && SANE_REQUEST_ID.test(asked) ? asked : randomUUID();
    res.locals = {
      requestId,
      // `req.ip` reads `X-Forwarded-For` as far as proxies are trusted. Without proxies the socket is cheaper to ask.
      address: (options.trustedProxies === 0 ? req.socket.remoteAddress : req.ip) ?? null,
      startedAtMs: performance.now(),
      context: { requestId, organizationId: null },
      span: null,
      route: 'unmatched',
    };
    if (options.isStopping()) res.setHeader('Connection', 'close');
  };
