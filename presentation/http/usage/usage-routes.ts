import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { organizationRoute, type Route } from '../routing/route.ts';
import { presentUsage } from './usage-presenter.ts';
import { usageReply, usageRequest } from './usage-schema.ts';

export const usageRoutes = (deps: HttpDependencies): readonly Route[] => [showUsageRoute(deps)];

const showUsageRoute = ({ showUsage }: HttpDependencies): Route =>
  organizationRoute(['org_admin', 'platform_admin'], {
    method: 'get',
    path: '/organizations/{org_id}/usage',
    name: 'showUsage',
    summary: 'Show what the organization has used, day by day; it is a minute behind',
    tag: 'organizations',
    request: usageRequest,
    compress: true,
    replies: { 200: { description: 'The days of the range', schema: usageReply } },
    errors: ['organization_not_found'],
    handle: async ({ organizationId, input: { query } }) =>
      ok(presentUsage(await showUsage(organizationId, { from: query.from ?? null, to: query.to ?? null }))),
  });
