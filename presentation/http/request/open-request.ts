import type { HttpDependencies } from '../http-dependencies.ts';
import { HttpError } from '../errors/http-error.ts';
import type { Middleware } from './http-locals.ts';
import { accessLog } from './access-log.ts';
import { requestContext } from './request-context.ts';
import { securityHeaders } from './security-headers.ts';

/**
 * What every request begins with, whatever it asks for; everything that is logged on its way can find its context.
 * One layer of Express, which takes longer over each than these take together.
 */
export const openRequest = (deps: HttpDependencies): Middleware => {
  const openings = [requestContext(deps), accessLog(deps), securityHeaders()];
  return (req, res, next) => {
    for (const open of openings) open(req, res);
    // RFC 9112, 3.2.
    if (req.headers.host === undefined && req.httpVersion === '1.1')
      throw new HttpError('malformed_request', 'A request of HTTP/1.1 has to name its host.');
    deps.runWithRequestContext(res.locals.context, next);
  };
};
