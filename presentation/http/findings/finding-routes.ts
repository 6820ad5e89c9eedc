import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { platformRoute, type Route } from '../routing/route.ts';
import { presentPass } from './finding-presenter.ts';
import { lastPassReply, passReply, reconcileRequest } from './finding-schema.ts';

const tag = 'operations';
const path = '/admin/findings';

export const findingRoutes = (deps: HttpDependencies): readonly Route[] => [
  getFindingsRoute(deps),
  reconcileRoute(deps),
];

const getFindingsRoute = ({ operators }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path,
    name: 'getFindings',
    summary:
      'Show what the servers and the ledger did not agree on when they were last compared; compares nothing',
    tag,
    request: {},
    compress: true,
    replies: { 200: { description: 'The last comparison, of whichever process', schema: lastPassReply } },
    handle: async () => {
      const pass = await operators.lastPass();
      return ok({ pass: pass && presentPass(pass) });
    },
  });

const reconcileRoute = ({ reconcileAsOperator }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/reconcile`,
    name: 'reconcileDatabases',
    summary: 'Compare the servers with the ledger and mend what is safe; drops no data',
    tag,
    request: reconcileRequest,
    replies: { 200: { description: 'What came of it', schema: passReply } },
    errors: ['organization_not_ready', 'database_unavailable'],
    handle: async ({ actor, input: { body } }) =>
      ok(presentPass(await reconcileAsOperator(actor, { dryRun: body.dry_run }))),
  });
