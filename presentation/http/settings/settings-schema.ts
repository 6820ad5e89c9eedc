import { z } from 'zod';
import {
  MAX_POLICY_TIMEOUT_MS,
  type POLICY_SETTINGS,
} from '../../../domain/organizations/organization-policy.ts';
import { MAX_MAX_RUNTIME_SECONDS } from '../../../domain/jobs/job-attempt.ts';
import type { HttpOptions } from '../http-dependencies.ts';
import { jsonObject } from '../request/schema/fields.ts';

const entityTags = z
  .string()
  .max(1000)
  .regex(
    /^\s*(?:\*|(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*)\s*$/,
    'must be a list of entity tags, or "*"',
  );

/** Tells of a version whether a list of tags, such as `"3"`, names it. `*` names any. */
const names =
  (tags: string, tag: RegExp) =>
  (version: number): boolean =>
    tags.trim() === '*' || Array.from(tags.matchAll(tag), ([, named]) => Number(named)).includes(version);

/** A weak tag never matches (RFC 9110, section 13.1.1). */
const ifMatch = entityTags
  .transform((tags) => names(tags, /(?<!W\/)"(\d{1,15})"/g))
  .optional()
  .meta({
    override: { type: 'string' },
    description: 'Write only if the settings are still as their `ETag` said',
  });

/** Here a weak tag matches (RFC 9110, section 13.1.2). */
const ifNoneMatch = entityTags
  .transform((tags) => names(tags, /"(\d{1,15})"/g))
  .optional()
  .meta({
    override: { type: 'string' },
    description:
      'Write only if the settings are not as this `ETag` said; with `*`, never: there always are some',
  });

const preconditions = z.object({ 'If-Match': ifMatch, 'If-None-Match': ifNoneMatch });

/** Whether settings of this version may be replaced by a request with these headers. */
export const mayReplace =
  (headers: z.output<typeof preconditions>) =>
  (version: number): boolean =>
    headers['If-Match']?.(version) !== false && headers['If-None-Match']?.(version) !== true;

export const getRequest = {
  headers: z.object({
    'If-None-Match': z
      .string()
      .optional()
      .meta({ description: 'Answer 304 if the settings are as this `ETag` said' }),
  }),
};

type SettingLimits = Pick<HttpOptions, 'maxConnectionsPerOrganization' | 'organizationQuotas'>;

/** A rate of writes holds for settings as well: with one that is too low an organization could not undo it for days. */
const ownRate = (deploymentRate: number): z.ZodInt =>
  z
    .int()
    .min(Math.ceil(deploymentRate / 100))
    .max(deploymentRate);

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
    max_write_bytes_per_second: ownRate(organizationQuotas.writeBytesPerSecond).meta({
      description: 'Most bytes of request bodies, in each process of the service',
    }),
    max_write_values_per_second: ownRate(organizationQuotas.writeValuesPerSecond).meta({
      description: 'Most JSON values in request bodies, in each process of the service',
    }),
    max_storage_bytes: z
      .int()
      .min(1)
      .max(organizationQuotas.storageBytes)
      .meta({ description: 'The size of its database above which no more results are taken' }),
    max_pending_jobs: z
      .int()
      .min(1)
      .max(MAX_PENDING_JOBS)
      .meta({ description: 'Most jobs that wait for workers. More are refused until some have begun' }),
    max_running_jobs: z
      .int()
      .min(1)
      .max(1_000_000)
      .meta({ description: 'Most jobs that workers hold by leases at a time' }),
    max_runtime_seconds: z
      .int()
      .min(1)
      .max(MAX_MAX_RUNTIME_SECONDS)
      .meta({ description: 'How long an attempt may take of a job that says nothing itself' }),
  } satisfies Record<keyof typeof POLICY_SETTINGS, z.ZodType>;
};

/** A submission counts no further than this. */
const MAX_PENDING_JOBS = 1_000_000;

const SETTINGS_EXAMPLE = { settings: { statement_timeout_ms: 30_000, timezone: 'Europe/Berlin' } };

export const replaceRequest = (limits: SettingLimits) => ({
  headers: preconditions,
  body: z
    .strictObject({ settings: z.object(policyFields(limits)).partial().catchall(z.unknown()) })
    .meta({ example: SETTINGS_EXAMPLE }),
});
export const patchRequest = (limits: SettingLimits) => {
  const fields = Object.entries(policyFields(limits)).map(([key, field]) => [key, field.nullable()]);
  const patch = z.object(Object.fromEntries(fields)).partial().catchall(z.unknown());
  return {
    headers: preconditions,
    body: z.strictObject({ settings: patch }).meta({ example: SETTINGS_EXAMPLE }),
  };
};

export const settingsReply = z.strictObject({ settings: jsonObject }).meta({ id: 'Settings' });
