import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { OrganizationSettings, VersionedSettings } from '../../domain/organizations/organization.ts';
import type { Actor } from '../actor.ts';
import { writeSettings } from './write-settings.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Replaces all settings.
 *
 * @param expected only on one of these versions; null: on any
 * @throws {OrganizationNotFoundError}
 * @throws {SettingsChangedError}
 */
export const replaceSettings =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (
    actor: Actor,
    id: OrganizationId,
    settings: OrganizationSettings,
    expected: readonly number[] | null,
  ): Promise<VersionedSettings> =>
    writeSettings(metadata, {
      actor,
      id,
      action: 'settings.replaced',
      expected,
      change: () => settings,
    });
