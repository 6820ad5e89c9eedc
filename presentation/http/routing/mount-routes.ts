import type { Express } from 'express';
import type { HttpDependencies } from '../http-dependencies.ts';
import { HttpError } from '../errors/http-error.ts';
import type { HttpRequest, HttpResponse, Middleware, Step } from '../request/http-locals.ts';
import { authenticate } from '../request/authenticate.ts';
import { guardOrganization } from '../request/guard-organization.ts';
import { leaseResultsDatabase } from '../request/lease-results-database.ts';
import { parseBody } from '../request/parse-body.ts';
import { requireRole } from '../request/require-role.ts';
import { respond } from '../request/respond.ts';
import type { Route } from './route.ts';

/** The life of a request, in order. A route has no say in it: what it declares decides. */
const stepsOf = (route: Route, deps: HttpDependencies): readonly Step[] => [
  ...(route.scope === 'public'
    ? []
    : [authenticate(deps.tokenVerifier), guardOrganization(route.scope, deps), requireRole(route.roles)]),
  ...(route.request.body === undefined ? [] : [parseBody]),
  validate(route),
  ...(route.scope === 'results' ? [leaseResultsDatabase(deps)] : []),
  respond,
];

const validate =
  ({ accept }: Route): Step =>
  (req, res) => {
    res.locals.answer = accept(req);
  };

/** One handler for the whole of it: a layer of Express for each step would cost more than most steps do. */
const handlerOf = (route: Route, deps: HttpDependencies) => {
  const steps = stepsOf(route, deps);
  return async (req: HttpRequest, res: HttpResponse): Promise<void> => {
    res.locals.route = route.path;
    for (const step of steps) {
      const pending = step(req, res);
      if (pending === undefined) continue;
      await pending;
      // The client has left meanwhile: nobody reads an answer, and a step may have kept back what the next one needs.
      if (res.closed) return;
    }
  };
};

/** Mounts every route of the table, and 405 for the methods that its path does not know. */
export const mountRoutes = (app: Express, routes: readonly Route[], deps: HttpDependencies): void => {
  for (const path of new Set(routes.map((route) => route.path))) {
    const routesOfPath = routes.filter((route) => route.path === path);
    const mounted = app.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    // express-async-errors hands rejections on.
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
    // A handler that rejects with nothing at all ends up here, as if it had not answered.
    if (allowed.includes(req.method)) throw new Error('a handler gave up without giving a reason');
    throw new HttpError('method_not_allowed', `This resource knows ${allow}.`, { Allow: allow });
  };
};
