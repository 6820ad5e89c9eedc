import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { OrganizationSettings, VersionedSettings } from '../../domain/organizations/organization.ts';
import type { Actor } from '../actor.ts';
import { writeSettings } from './write-settings.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Replaces all settings.
 *
 * @param mayReplace whether the write may happen on this version
 * @throws {OrganizationNotFoundError}
 * @throws {SettingsChangedError}
 */
export const replaceSettings =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (
    actor: Actor,
    id: OrganizationId,
    settings: OrganizationSettings,
    mayReplace: (version: number) => boolean,
  ): Promise<VersionedSettings> =>
    writeSettings(metadata, {
      actor,
      id,
      action: 'settings.replaced',
      mayReplace,
      change: () => settings,
    });
