import { z } from 'zod';
import {
  MAX_POLICY_TIMEOUT_MS,
  type POLICY_SETTINGS,
} from '../../../domain/organizations/organization-policy.ts';
import { jsonObject } from '../request/schema/fields.ts';

/** Entity tags, such as `"3"`, as the versions that they name; null for `*`. A weak tag never matches (RFC 9110, 13.1.1). */
const ifMatch = z
  .string()
  .max(1000)
  .regex(/^\s*(?:\*|(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*)\s*$/, 'must be a list of entity tags, or "*"')
  .transform((tags) =>
    tags.trim() === '*'
      ? null
      : Array.from(tags.matchAll(/(?<!W\/)"(\d{1,15})"/g), ([, version]) => Number(version)),
  )
  .optional()
  .meta({
    override: { type: 'string' },
    description: 'Write only if the settings are still as their `ETag` said',
  });

/** The settings that the service reads. An organization may keep any others beside them. */
const policyFields = (maxConnections: number) => {
  const timeout = z.int().min(1).max(MAX_POLICY_TIMEOUT_MS);
  return {
    max_connections: z
      .int()
      .min(1)
      .max(maxConnections)
      .meta({ description: 'Most server connections to its database, in each process of the service' }),
    statement_timeout_ms: timeout,
    idle_in_transaction_timeout_ms: timeout,
    lock_timeout_ms: timeout,
  } satisfies Record<keyof typeof POLICY_SETTINGS, z.ZodType>;
};

const SETTINGS_EXAMPLE = { settings: { statement_timeout_ms: 30_000, timezone: 'Europe/Berlin' } };

export const replaceRequest = (maxConnections: number) => ({
  headers: z.object({ 'If-Match': ifMatch }),
  body: z
    .strictObject({ settings: z.object(policyFields(maxConnections)).partial().catchall(z.unknown()) })
    .meta({ examples: [SETTINGS_EXAMPLE] }),
});
export const patchRequest = (maxConnections: number) => {
  const fields = Object.entries(policyFields(maxConnections)).map(([key, field]) => [key, field.nullable()]);
  const patch = z.object(Object.fromEntries(fields)).partial().catchall(z.unknown());
  return {
    headers: z.object({ 'If-Match': ifMatch }),
    body: z.strictObject({ settings: patch }).meta({ examples: [SETTINGS_EXAMPLE] }),
  };
};

export const settingsReply = z.strictObject({ settings: jsonObject }).meta({ id: 'Settings' });
