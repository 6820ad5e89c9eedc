import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { resultsRoute, type Route } from '../routing/route.ts';
import { presentQueue } from './queue-presenter.ts';
import { queueReply } from './queue-schema.ts';

export const queueRoutes = (deps: HttpDependencies): readonly Route[] => [showQueueRoute(deps)];

const showQueueRoute = ({ policies }: HttpDependencies): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: '/organizations/{org_id}/queue',
    name: 'showQueue',
    summary: 'Show how many jobs wait and run, engine by engine, and why they wait',
    tag: 'events',
    request: {},
    compress: true,
    replies: { 200: { description: 'The queue at this moment', schema: queueReply } },
    handle: async ({ database, organizationId }) =>
      ok(presentQueue(await database.queue.survey(), policies.policyOf(organizationId))),
  });
