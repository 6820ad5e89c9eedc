import { randomUUID } from 'node:crypto';
import type { HttpDependencies, RequestContext } from '../http-dependencies.ts';
import type { Middleware } from '../http-locals.ts';

const SANE_REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Gives the request its id, and everything that is logged on its way the request. */
export const requestContext =
  ({
    runWithRequestContext,
    options,
  }: Pick<HttpDependencies, 'runWithRequestContext' | 'options'>): Middleware =>
  (req, res, next) => {
    const asked = req.headers['x-request-id'];
    const requestId = typeof asked === 'string' && SANE_REQUEST_ID.test(asked) ? asked : randomUUID();
    const context: RequestContext = { requestId, organizationId: null };
    res.locals = {
      requestId,
      // The socket's, or what as many proxies as are trusted say.
      address: (options.trustedProxies === 0 ? req.socket.remoteAddress : req.ip) ?? null,
      startedAtMs: performance.now(),
      context,
      route: 'unmatched',
    };
    res.setHeader('X-Request-Id', requestId);
    if (options.isStopping()) res.setHeader('Connection', 'close');
    runWithRequestContext(context, next);
  };
