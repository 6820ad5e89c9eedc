import type { HttpDependencies } from '../http-dependencies.ts';
import { HttpError } from '../errors/http-error.ts';
import type { Middleware } from './http-locals.ts';
import { accessLog } from './access-log.ts';
import { requestContext } from './request-context.ts';

/**
 * Runs first on every request. Everything that is logged from here on finds the request's context. It is one layer of
 * Express: the overhead of a layer is more than the work of all these openings.
 */
export const openRequest = (deps: HttpDependencies): Middleware => {
  const openings = [requestContext(deps), accessLog(deps)];
  return (req, res, next) => {
    for (const open of openings) open(req, res);
    // RFC 9112, section 3.2.
    if (req.headers.host === undefined && req.httpVersion === '1.1')
      throw new HttpError('malformed_request', 'An HTTP/1.1 request must name its host.');
    deps.runWithRequestContext(res.locals.context, next);
  };
};
