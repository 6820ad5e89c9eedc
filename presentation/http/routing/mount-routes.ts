import type { Express } from 'express';
import type { HttpDependencies } from '../http-dependencies.ts';
import { HttpError } from '../errors/http-error.ts';
import type { HttpRequest, HttpResponse, Middleware, Step } from '../request/http-locals.ts';
import { accountResponse } from '../request/account-response.ts';
import { compressAnswer } from '../request/compress-answer.ts';
import { authenticate } from '../request/authenticate.ts';
import { guardOrganization } from '../request/guard-organization.ts';
import { acceptBytes } from '../request/accept-bytes.ts';
import { leaseForMoments, leaseResultsDatabase } from '../request/lease-results-database.ts';
import { keepStorageQuota } from '../request/keep-storage-quota.ts';
import { limitPublicRequests } from '../request/limit-public-requests.ts';
import { parseBody } from '../request/parse-body.ts';
import { refuseSuspended } from '../request/refuse-suspended.ts';
import { requireConfirmation } from '../request/require-confirmation.ts';
import { requireRole } from '../request/require-role.ts';
import { respond } from '../request/respond.ts';
import { addsResults, isPublicWrite, type Route } from './route.ts';

/** The steps of a request, in order. What the route declares decides them; a route cannot leave one out. */
const stepsOf = (route: Route, deps: HttpDependencies): readonly Step[] => [
  ...(route.scope === 'public'
    ? isPublicWrite(route)
      ? [limitPublicRequests(deps)]
      : []
    : [
        authenticate(deps),
        guardOrganization(route.scope, deps),
        requireRole(route.roles),
        ...(route.isDangerous === true ? [requireConfirmation] : []),
        accountResponse(readsBody(route) ? route.maxBodyBytes : 0, deps),
      ]),
  ...(readsBody(route) ? [parseBody(route.maxBodyBytes, deps)] : []),
  validate(route),
  ...(route.scope === 'active' ? [refuseSuspended(deps)] : []),
  ...(route.scope === 'results' ? [leaseResultsDatabase(deps)] : []),
  ...(route.scope === 'files' ? [leaseForMoments(deps)] : []),
  ...(route.receivesBytes === true ? [acceptBytes(deps)] : []),
  ...(addsResults(route) ? [keepStorageQuota(deps)] : []),
  ...(route.compress === true ? [compressAnswer] : []),
  respond,
];

const readsBody = ({ request }: Route): boolean => request.body !== undefined;

const validate =
  ({ accept }: Route): Step =>
  (req, res) => {
    res.locals.answer = accept(req, res.locals.bodyIssues ?? []);
  };

/** One handler for all steps: a layer of Express for each would cost more than most steps do. */
const handlerOf = (route: Route, deps: HttpDependencies) => {
  const steps = stepsOf(route, deps);
  return async (req: HttpRequest, res: HttpResponse): Promise<void> => {
    res.locals.route = route.path;
    for (const step of steps) {
      const pending = step(req, res);
      if (pending === undefined) continue;
      await pending;
      // The client went away meanwhile. A step that noticed it may not have set what the next step needs.
      if (res.closed) return;
    }
  };
};

/** Mounts every route of the table. Answers 405 to the other methods of their paths. */
export const mountRoutes = (app: Express, routes: readonly Route[], deps: HttpDependencies): void => {
  for (const path of new Set(routes.map((route) => route.path))) {
    const routesOfPath = routes.filter((route) => route.path === path);
    const mounted = app.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    // express-async-errors passes rejections to the error handler.
    // oxlint-disable-next-line typescript/no-misused-promises
    for (const route of routesOfPath) mounted[route.method](handlerOf(route, deps));
    mounted.all(refuseMethod(path, allowedMethods(routesOfPath)));
  }
};

/** Express answers HEAD with GET's handlers. */
const allowedMethods = (routes: readonly Route[]): readonly string[] => {
  const methods = routes.map(({ method }) => method.toUpperCase());
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
};

const refuseMethod = (path: string, allowed: readonly string[]): Middleware => {
  const allow = allowed.join(', ');
  return (req, res) => {
    res.locals.route = path;
    if (req.method === 'OPTIONS') {
      res.status(204).set('Allow', allow).end();
      return;
    }
    // A handler that rejects with undefined ends up here, because Express takes that as `next()`.
    if (allowed.includes(req.method)) throw new Error('a handler rejected with undefined');
    throw new HttpError('method_not_allowed', `This resource allows ${allow}.`, { Allow: allow });
  };
};
