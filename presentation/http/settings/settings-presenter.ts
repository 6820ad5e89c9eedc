import type { VersionedSettings } from '../../../domain/organizations/organization.ts';
import { ok, type Reply } from '../request/reply.ts';

/** The version goes into the `ETag`, which `If-Match` brings back. */
export const presentSettings = ({ settings, version }: VersionedSettings): Reply => ({
  ...ok({ settings }),
  headers: { ETag: `"${version}"` },
});
