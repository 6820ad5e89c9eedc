import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { callerRoute, type Route } from '../routing/route.ts';
import { presentHint } from './work-presenter.ts';
import { findWorkRequest, workReply } from './work-schema.ts';

export const workRoutes = (deps: HttpDependencies): readonly Route[] => [findWorkRoute(deps)];

const findWorkRoute = ({ findWork, workFigures }: HttpDependencies): Route =>
  callerRoute(['fleet', 'worker'], {
    method: 'get',
    path: '/work',
    name: 'findWork',
    summary:
      "Show where jobs wait: in a worker's organization, or in all that have admitted a fleet. Opens no database",
    tag: 'work',
    request: findWorkRequest,
    replies: { 200: { description: 'Whoever got least comes first', schema: workReply } },
    handle: async ({ actor, input: { query }, pages }) => {
      const { engines = null, limit } = query;
      workFigures.seen(actor, engines);
      // A HEAD request takes nothing away from those who would work.
      const { items } = await pages.read({ limit, cursor: null }, async () => ({
        items: await findWork(actor, { engines, limit }),
        next: null,
      }));
      return ok({ items: items.map(presentHint), retry_after_seconds: items.length > 0 ? 0 : IDLE_SECONDS });
    },
  });

/** A hint that was given to somebody else comes back after as long. */
const IDLE_SECONDS = 2;
