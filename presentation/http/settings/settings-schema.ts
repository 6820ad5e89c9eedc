import { z } from 'zod';
import {
  MAX_POLICY_TIMEOUT_MS,
  type POLICY_SETTINGS,
} from '../../../domain/organizations/organization-policy.ts';
import type { HttpOptions } from '../http-dependencies.ts';
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

type SettingLimits = Pick<HttpOptions, 'maxConnectionsPerOrganization' | 'organizationQuotas'>;

/** The settings that the service reads. An organization may keep any others beside them. */
const policyFields = ({ maxConnectionsPerOrganization, organizationQuotas }: SettingLimits) => {
  const timeout = z.int().min(1).max(MAX_POLICY_TIMEOUT_MS);
  return {
    max_connections: z
      .int()
      .min(1)
      .max(maxConnectionsPerOrganization)
      .meta({ description: 'Most server connections to its database, in each process of the service' }),
    statement_timeout_ms: timeout,
    idle_in_transaction_timeout_ms: timeout,
    lock_timeout_ms: timeout,
    max_write_bytes_per_second: z
      .int()
      .min(1)
      .max(organizationQuotas.writeBytesPerSecond)
      .meta({ description: 'Most bytes of request bodies, in each process of the service' }),
    max_write_values_per_second: z
      .int()
      .min(1)
      .max(organizationQuotas.writeValuesPerSecond)
      .meta({ description: 'Most JSON values in request bodies, in each process of the service' }),
    max_storage_bytes: z
      .int()
      .min(1)
      .max(organizationQuotas.storageBytes)
      .meta({ description: 'The size of its database above which no more results are taken' }),
  } satisfies Record<keyof typeof POLICY_SETTINGS, z.ZodType>;
};

export const replaceRequest = (limits: SettingLimits) => ({
  headers: z.object({ 'If-Match': ifMatch }),
  body: z.strictObject({ settings: z.object(policyFields(limits)).partial().catchall(z.unknown()) }),
});
export const patchRequest = (limits: SettingLimits) => {
  const fields = Object.entries(policyFields(limits)).map(([key, field]) => [key, field.nullable()]);
  const patch = z.object(Object.fromEntries(fields)).partial().catchall(z.unknown());
  return { headers: z.object({ 'If-Match': ifMatch }), body: z.strictObject({ settings: patch }) };
};

export const settingsReply = z.strictObject({ settings: jsonObject }).meta({ id: 'Settings' });
