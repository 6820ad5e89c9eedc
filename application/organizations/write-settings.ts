import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { SettingsChangedError } from '../../domain/organizations/errors.ts';
import { ValidationError } from '../../domain/validation-error.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { POLICY_SETTINGS } from '../../domain/organizations/organization-policy.ts';
import type { OrganizationSettings, VersionedSettings } from '../../domain/organizations/organization.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';

export interface SettingsWrite {
  readonly actor: Actor;
  readonly id: OrganizationId;
  readonly action: 'settings.replaced' | 'settings.patched';
  /** Whether the write may happen on this version. */
  readonly mayReplace: (version: number) => boolean;
  /** Makes the new settings of the present ones. */
  readonly change: (present: OrganizationSettings) => OrganizationSettings;
}

/** What one request may bring in one piece; patches could otherwise add up to more. */
const MAX_CHARACTERS = 1024 * 1024;

/**
 * Writes settings so that no concurrent write is lost, and audits it. The trail keeps values of the policy alone: what
 * else an organization stores there may be confidential.
 *
 * @throws {OrganizationNotFoundError}
 * @throws {SettingsChangedError} when they are at a version that may not be replaced; nothing is written
 * @throws {ValidationError} when they would become too large
 */
export const writeSettings = (
  metadata: MetadataDatabase,
  { actor, id, action, mayReplace, change }: SettingsWrite,
): Promise<VersionedSettings> =>
  metadata.transaction(async ({ organizations, auditLog }) => {
    const before = await organizations.findSettingsForUpdate(id);
    if (before === null) throw new OrganizationNotFoundError();
    if (!mayReplace(before.version)) throw new SettingsChangedError(before.version);
    const settings = change(before.settings);
    if (JSON.stringify(settings).length > MAX_CHARACTERS) {
      throw new ValidationError([
        { path: 'settings', message: `must have at most ${MAX_CHARACTERS} characters` },
      ]);
    }
    const version = await organizations.replaceSettings(id, settings);
    await auditLog.append({
      organizationId: id,
      action,
      entityType: 'settings',
      entityId: id,
      details: {
        keys: Object.keys(settings),
        version,
        before: policySettings(before.settings),
        after: policySettings(settings),
      },
      ...causedBy(actor),
    });
    return { settings, version };
  });

const policySettings = (settings: OrganizationSettings): OrganizationSettings =>
  Object.fromEntries(Object.entries(settings).filter(([key]) => Object.hasOwn(POLICY_SETTINGS, key)));
