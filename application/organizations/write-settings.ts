import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { MAX_JSON_VALUES, maxGrowth } from '../../domain/json/inspect-json.ts';
import { printedLength } from '../../domain/json/printed-length.ts';
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

/** What one request may bring in one piece. */
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
    const problem = sizeProblem(settings);
    if (problem !== null) throw new ValidationError([{ path: 'settings', message: problem }]);
    const written = await organizations.replaceSettings(id, settings);
    await auditLog.append({
      organizationId: id,
      action,
      entityType: 'settings',
      entityId: id,
      details: {
        keys: Object.keys(settings),
        version: written.version,
        before: policySettings(before.settings),
        after: policySettings(settings),
      },
      ...causedBy(actor),
    });
    return written;
  });

/** The same as of one body: patches could otherwise add up to more. */
const sizeProblem = (settings: OrganizationSettings): string | null => {
  let values = 0;
  let growth = 0;
  const text = JSON.stringify(settings, (_name, value: unknown) => {
    values += 1;
    if (typeof value === 'number') growth += printedLength(value) - String(value).length;
    return value;
  });
  if (text.length > MAX_CHARACTERS) return `must have at most ${MAX_CHARACTERS} characters`;
  if (values > MAX_JSON_VALUES) return `must not have more than ${MAX_JSON_VALUES} values`;
  return growth > maxGrowth(text.length) ? 'must not hold so many very large or very small numbers' : null;
};

const policySettings = (settings: OrganizationSettings): OrganizationSettings =>
  Object.fromEntries(Object.entries(settings).filter(([key]) => Object.hasOwn(POLICY_SETTINGS, key)));
