import { mergePatch } from '../../domain/organizations/merge-patch.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { VersionedSettings } from '../../domain/organizations/organization.ts';
import type { Actor } from '../actor.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import { writeSettings } from './write-settings.ts';

export class PatchSettings {
  readonly #metadata: MetadataDatabase;

  constructor(metadata: MetadataDatabase) {
    this.#metadata = metadata;
  }

  /**
   * Changes the settings that the patch names (RFC 7396: null removes one).
   *
   * @param expected only on one of these versions; null: on any
   * @throws {OrganizationNotFoundError}
   * @throws {SettingsChangedError}
   * @throws {ValidationError} when they would become too large
   */
  execute(
    actor: Actor,
    id: OrganizationId,
    patch: Readonly<Record<string, unknown>>,
    expected: readonly number[] | null,
  ): Promise<VersionedSettings> {
    return writeSettings(this.#metadata, {
      actor,
      id,
      action: 'settings.patched',
      expected,
      change: (present) => mergePatch(present, patch),
    });
  }
}
