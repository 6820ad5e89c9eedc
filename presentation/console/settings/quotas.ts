/** A setting that the service acts on. Others an organization may keep beside them. */
export interface Quota {
  readonly name: string;
  readonly label: string;
  readonly unit: string;
  /** Without the setting. */
  readonly otherwise: string;
  /** What happens beyond it. */
  readonly beyond: string;
}

const AS_CONFIGURED = 'as the service is configured';

export const QUOTA_GROUPS: Readonly<Record<string, readonly Quota[]>> = {
  'How much there may be': [
    {
      name: 'max_storage_bytes',
      label: 'Size of its database',
      unit: 'bytes',
      otherwise: AS_CONFIGURED,
      beyond: 'no more results are taken; jobs still end',
    },
    {
      name: 'max_files_bytes',
      label: 'All its files together',
      unit: 'bytes',
      otherwise: AS_CONFIGURED,
      beyond: 'no more files are taken',
    },
    {
      name: 'max_pending_jobs',
      label: 'Jobs that wait',
      unit: 'jobs',
      otherwise: 'any number',
      beyond: 'submissions are refused until some have begun',
    },
    {
      name: 'max_running_jobs',
      label: 'Jobs that run',
      unit: 'jobs',
      otherwise: 'any number',
      beyond: 'workers get no more until one ends',
    },
    {
      name: 'max_runtime_seconds',
      label: 'One attempt of a job',
      unit: 'seconds',
      otherwise: 'a day',
      beyond: 'the attempt is lost, and the job is tried again',
    },
    {
      name: 'work_weight',
      label: 'Share of worker fleets',
      unit: 'of 100',
      otherwise: '100',
      beyond: 'with 50 it gets half of what others get while all have work',
    },
  ],
  'How much at a time, in each process': [
    {
      name: 'max_connections',
      label: 'Connections to its database',
      unit: 'connections',
      otherwise: AS_CONFIGURED,
      beyond: 'requests wait, and then are refused as busy',
    },
    {
      name: 'max_write_bytes_per_second',
      label: 'Writes',
      unit: 'bytes a second',
      otherwise: AS_CONFIGURED,
      beyond: 'requests are refused as busy',
    },
    {
      name: 'max_write_values_per_second',
      label: 'Values in writes',
      unit: 'values a second',
      otherwise: AS_CONFIGURED,
      beyond: 'requests are refused as busy',
    },
    {
      name: 'statement_timeout_ms',
      label: 'One statement',
      unit: 'ms',
      otherwise: AS_CONFIGURED,
      beyond: 'the request ends with an error',
    },
    {
      name: 'lock_timeout_ms',
      label: 'Wait for a lock',
      unit: 'ms',
      otherwise: AS_CONFIGURED,
      beyond: 'the request ends with an error',
    },
    {
      name: 'idle_in_transaction_timeout_ms',
      label: 'Pause within a transaction',
      unit: 'ms',
      otherwise: AS_CONFIGURED,
      beyond: 'the request ends with an error',
    },
  ],
};

/** What is typed, by the names of the settings; empty: the setting is not there. */
export type Typed = Readonly<Record<string, string>>;

export const typedOf = (settings: Readonly<Record<string, unknown>>): Typed =>
  Object.fromEntries(
    Object.values(QUOTA_GROUPS)
      .flat()
      .map(({ name }) => [name, typeof settings[name] === 'number' ? String(settings[name]) : '']),
  );

/** What a PATCH has to say: null takes a setting away. */
export const changesOf = (before: Typed, after: Typed): Record<string, number | null> =>
  Object.fromEntries(
    Object.entries(after)
      .filter(([name, value]) => value !== before[name])
      .map(([name, value]) => [name, value === '' ? null : Number(value)]),
  );
