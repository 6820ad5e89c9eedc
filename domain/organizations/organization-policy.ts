import type { OrganizationSettings } from './organization.ts';

/** Quotas and deadlines of one organization. What is left out is as the service is configured. */
export interface OrganizationPolicy {
  /** Most server connections to its database, in each process. */
  readonly maxConnections?: number;
  readonly statementTimeoutMs?: number;
  readonly idleInTransactionTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  /** Bytes and JSON values of request bodies, in each process. */
  readonly maxWriteBytesPerSecond?: number;
  readonly maxWriteValuesPerSecond?: number;
  /** The size of its database. */
  readonly maxStorageBytes?: number;
  /** Jobs that wait for a worker. */
  readonly maxPendingJobs?: number;
  /** Leases that workers hold at a time. */
  readonly maxRunningJobs?: number;
  /** Of one attempt of a job that says nothing itself. */
  readonly maxRuntimeSeconds?: number;
}

/** The settings that make up the policy, and what they are there. Other settings mean nothing to the service. */
export const POLICY_SETTINGS = {
  max_connections: 'maxConnections',
  statement_timeout_ms: 'statementTimeoutMs',
  idle_in_transaction_timeout_ms: 'idleInTransactionTimeoutMs',
  lock_timeout_ms: 'lockTimeoutMs',
  max_write_bytes_per_second: 'maxWriteBytesPerSecond',
  max_write_values_per_second: 'maxWriteValuesPerSecond',
  max_storage_bytes: 'maxStorageBytes',
  max_pending_jobs: 'maxPendingJobs',
  max_running_jobs: 'maxRunningJobs',
  max_runtime_seconds: 'maxRuntimeSeconds',
} as const satisfies Readonly<Record<string, keyof OrganizationPolicy>>;

/** Longest deadline that an organization may give itself. */
export const MAX_POLICY_TIMEOUT_MS = 3_600_000;

/** A value that is no positive whole number (written by hand) counts as left out. */
export const policyFrom = (settings: OrganizationSettings): OrganizationPolicy =>
  Object.fromEntries(
    Object.entries(POLICY_SETTINGS).flatMap(([setting, field]) => {
      const value = settings[setting];
      return Number.isSafeInteger(value) && Number(value) > 0 ? [[field, value]] : [];
    }),
  );
