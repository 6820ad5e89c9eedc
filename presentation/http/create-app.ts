// First of all: it patches Express, and only routers made afterwards catch rejections.
// oxlint-disable-next-line import/no-unassigned-import
import 'express-async-errors';
import express from 'express';
import { handleErrors } from './error-handler.ts';
import { NO_SUCH_ROUTE } from './failure.ts';
import type { HttpDependencies } from './http-dependencies.ts';
import { HttpError } from './http-error.ts';
import { accessLog } from './middleware/access-log.ts';
import { requestContext } from './middleware/request-context.ts';
import { securityHeaders } from './middleware/security-headers.ts';
import { mountRoutes } from './mount-routes.ts';
import { docsAssets } from './operations/docs.ts';
import { createRouteTable } from './route-table.ts';

/** The HTTP side of the service, on any server: opens nothing and listens to nothing by itself. */
export const createApp = (deps: HttpDependencies): express.Express => {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', deps.options.trustedProxies);
  // One level, strings only; a parameter given twice is an array, which no schema takes.
  app.set('query parser', 'simple');

  app.use(requestContext(deps), accessLog(deps), securityHeaders());
  app.use(mountRoutes(createRouteTable(deps), deps));
  app.use(docsAssets());
  app.use(() => {
    throw new HttpError('not_found', NO_SUCH_ROUTE);
  });
  app.use(handleErrors(deps.logger));
  return app;
};
