import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { platformRoute, type Route } from '../routing/route.ts';
import { presentSetting } from './configuration-presenter.ts';
import { configurationReply } from './configuration-schema.ts';

export const configurationRoutes = ({
  settings,
  instanceId,
  options,
}: HttpDependencies): readonly Route[] => [
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/admin/config',
    name: 'getConfiguration',
    summary: 'Show the configuration of the process that answers, and where each value comes from',
    tag: 'operations',
    request: {},
    compress: true,
    replies: { 200: { description: 'All variables; secrets are masked', schema: configurationReply } },
    handle: () =>
      ok({ instance_id: instanceId, version: options.version, items: settings.map(presentSetting) }),
  }),
];
