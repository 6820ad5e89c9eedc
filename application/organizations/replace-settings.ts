import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { OrganizationSettings, VersionedSettings } from '../../domain/organizations/organization.ts';
import type { Actor } from '../actor.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import { writeSettings } from './write-settings.ts';

export class ReplaceSettings {
  readonly #metadata: MetadataDatabase;

  constructor(metadata: MetadataDatabase) {
    this.#metadata = metadata;
  }

  /**
   * Replaces all settings.
   *
   * @param expected only on one of these versions; null: on any
   * @throws {OrganizationNotFoundError}
   * @throws {SettingsChangedError}
   */
  execute(
    actor: Actor,
    id: OrganizationId,
    settings: OrganizationSettings,
    expected: readonly number[] | null,
  ): Promise<VersionedSettings> {
    return writeSettings(this.#metadata, {
      actor,
      id,
      action: 'settings.replaced',
      expected,
      change: () => settings,
    });
  }
}
