import type { HttpDependencies } from '../http-dependencies.ts';
import { ok, raw } from '../request/reply.ts';
import { publicRoute, type Route } from '../routing/route.ts';
import { presentReadiness } from './monitoring-presenter.ts';
import { healthReply, readinessReply } from './monitoring-schema.ts';

const tag = 'monitoring';

export const monitoringRoutes = (deps: HttpDependencies): readonly Route[] => [
  healthRoute(),
  readyRoute(deps),
  metricsRoute(deps),
];

const healthRoute = (): Route =>
  publicRoute([], {
    method: 'get',
    path: '/health',
    name: 'health',
    summary: 'Whether the process is running',
    tag,
    request: {},
    replies: { 200: { description: 'It is', schema: healthReply } },
    handle: () => ok({ status: 'ok' }),
  });

const readyRoute = ({ health, verifyToken, options }: HttpDependencies): Route =>
  publicRoute([], {
    method: 'get',
    path: '/ready',
    name: 'ready',
    summary: 'Whether to send requests here, and which databases are healthy',
    tag,
    request: {},
    replies: {
      200: { description: 'Requests are served', schema: readinessReply },
      503: { description: 'Requests are better sent elsewhere', schema: readinessReply },
    },
    handle: async ({ bearer }) =>
      presentReadiness({
        health: await health.check(),
        isStopping: options.isStopping(),
        isStrict: options.readyStrict,
        namesOrganizations: !options.hideOrganizationNames || (await isPlatformAdmin(verifyToken, bearer)),
      }),
  });

/** A load balancer may send any token or none. A token that does not verify is not an administrator's. */
const isPlatformAdmin = async (
  verifyToken: HttpDependencies['verifyToken'],
  bearer: string | null,
): Promise<boolean> => {
  if (bearer === null) return false;
  try {
    return (await verifyToken(bearer)).roles.has('platform_admin');
  } catch {
    return false;
  }
};

const metricsRoute = ({ renderMetrics }: HttpDependencies): Route =>
  publicRoute([], {
    method: 'get',
    path: '/metrics',
    name: 'metrics',
    summary: 'Metrics in Prometheus text format',
    tag,
    request: {},
    compress: true,
    replies: { 200: { description: 'Prometheus text', contentType: 'text/plain' } },
    handle: async () => {
      const { contentType, body } = await renderMetrics();
      return raw(contentType, body);
    },
  });
