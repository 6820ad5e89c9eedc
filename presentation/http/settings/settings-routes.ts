import type { HttpDependencies } from '../http-dependencies.ts';
import { DOCUMENT_BODY_BYTES, organizationRoute, type Route } from '../routing/route.ts';
import { presentSettings } from './settings-presenter.ts';
import { getRequest, mayReplace, patchRequest, replaceRequest, settingsReply } from './settings-schema.ts';

const tag = 'organizations';
const path = '/organizations/{org_id}/settings';

export const settingsRoutes = (deps: HttpDependencies): readonly Route[] => [
  getSettingsRoute(deps),
  replaceSettingsRoute(deps),
  patchSettingsRoute(deps),
];

const getSettingsRoute = ({ getSettings }: HttpDependencies): Route =>
  organizationRoute(['org_admin'], {
    method: 'get',
    path,
    name: 'getSettings',
    summary: "Show the organization's settings",
    tag,
    request: getRequest,
    replies: {
      200: { description: 'All settings', schema: settingsReply },
      304: { description: 'They are still as their `ETag` said' },
    },
    errors: ['organization_not_found'],
    handle: async ({ organizationId }) => presentSettings(await getSettings(organizationId)),
  });

const replaceSettingsRoute = ({ replaceSettings, options }: HttpDependencies): Route =>
  organizationRoute(['org_admin'], {
    method: 'put',
    path,
    name: 'replaceSettings',
    summary: "Replace all of the organization's settings",
    tag,
    request: replaceRequest(options),
    maxBodyBytes: DOCUMENT_BODY_BYTES,
    replies: { 200: { description: 'All settings as they are now', schema: settingsReply } },
    errors: ['organization_not_found', 'settings_changed'],
    handle: async ({ actor, organizationId, input: { headers, body } }) => {
      return presentSettings(
        await replaceSettings(actor, organizationId, body.settings, mayReplace(headers)),
      );
    },
  });

const patchSettingsRoute = ({ patchSettings, options }: HttpDependencies): Route =>
  organizationRoute(['org_admin'], {
    method: 'patch',
    path,
    name: 'patchSettings',
    summary: "Change the given ones of the organization's settings (RFC 7396: null removes one)",
    tag,
    request: patchRequest(options),
    maxBodyBytes: DOCUMENT_BODY_BYTES,
    replies: { 200: { description: 'All settings as they are now', schema: settingsReply } },
    errors: ['organization_not_found', 'settings_changed'],
    handle: async ({ actor, organizationId, input: { headers, body } }) => {
      return presentSettings(await patchSettings(actor, organizationId, body.settings, mayReplace(headers)));
    },
  });
