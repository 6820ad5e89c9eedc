import { mergePatch } from '../../domain/organizations/merge-patch.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { VersionedSettings } from '../../domain/organizations/organization.ts';
import type { Actor } from '../actor.ts';
import { writeSettings } from './write-settings.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Changes the settings that the patch names (RFC 7396: null removes one).
 *
 * @param mayReplace whether the write may happen on this version
 * @throws {OrganizationNotFoundError}
 * @throws {SettingsChangedError}
 * @throws {ValidationError} when they would become too large
 */
export const patchSettings =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (
    actor: Actor,
    id: OrganizationId,
    patch: Readonly<Record<string, unknown>>,
    mayReplace: (version: number) => boolean,
  ): Promise<VersionedSettings> =>
    writeSettings(metadata, {
      actor,
      id,
      action: 'settings.patched',
      mayReplace,
      change: (present) => mergePatch(present, patch),
    });
