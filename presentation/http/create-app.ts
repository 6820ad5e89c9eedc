// This import must come first: it patches Express, and only routers made afterwards catch rejections.
// oxlint-disable-next-line import/no-unassigned-import
import 'express-async-errors';
import express from 'express';
import { handleErrors } from './request/error-handler.ts';
import { NO_SUCH_ROUTE } from './errors/failure.ts';
import { HttpError } from './errors/http-error.ts';
import type { HttpDependencies } from './http-dependencies.ts';
import { allowOrigins } from './request/allow-origins.ts';
import { openRequest } from './request/open-request.ts';
import { addStandingHeaders } from './request/standing-headers.ts';
import { mountRoutes } from './routing/mount-routes.ts';
import { consolePages } from './console/console-pages.ts';
import { docsAssets } from './docs/docs-page.ts';
import { createRouteTable } from './route-table.ts';

/** Makes the Express app. It opens nothing and does not listen: the caller binds it to a server. */
export const createApp = (deps: HttpDependencies): express.Express => {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', deps.options.trustedProxies);
  // Values are strings. A parameter that is given twice becomes an array, which every schema refuses.
  app.set('query parser', 'simple');
  app.enable('case sensitive routing');
  app.enable('strict routing');

  addStandingHeaders(app, deps.options);
  app.use(openRequest(deps));
  if (deps.options.corsOrigins.length > 0) app.use(allowOrigins(deps.options.corsOrigins));
  mountRoutes(app, createRouteTable(deps), deps);
  app.use(docsAssets());
  app.use(consolePages(deps));
  app.use(() => {
    throw new HttpError('not_found', NO_SUCH_ROUTE);
  });
  app.use(handleErrors(deps.logger));
  return app;
};
