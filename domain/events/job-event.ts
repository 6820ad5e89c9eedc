import type { AuditAction } from '../audit/audit-actions.ts';
import { JOB_STATUSES, type JobStatus } from '../jobs/docking-job.ts';

/**
 * The actions of the audit trail that every user of the organization may follow. The others are for administrators: what
 * is not listed here is never shown as an event.
 */
export const EVENT_TYPES = [
  'job.submitted',
  'job_batch.submitted',
  'job.claimed',
  'job.released',
  'job.moved',
  'job.completed',
  'job.failed',
  'job.canceled',
  'task_result.written',
  'artifact.added',
  'campaign.created',
  'campaign.changed',
] as const satisfies readonly AuditAction[];

export type EventType = (typeof EVENT_TYPES)[number];

export const isEventType = (action: string): action is EventType =>
  // The type of `includes` asks for what is to be found out.
  (EVENT_TYPES as readonly string[]).includes(action);

/** Something that happened to the organization's work: an entry of its audit trail, without who did it. */
export interface JobEvent {
  /** The id of the entry in the trail. */
  readonly eventId: string;
  /** Rises from one event of an organization to the next, with gaps. It means nothing across organizations. */
  readonly position: number;
  readonly type: EventType;
  readonly at: Date;
  /** Null for events of several jobs or of none. */
  readonly jobId: string | null;
  readonly campaignId: string | null;
  /** The state of its jobs after the event; null where the event moves none. */
  readonly status: JobStatus | null;
  readonly engine: string | null;
  readonly worker: string | null;
  readonly attempt: number | null;
  readonly errorCode: string | null;
  readonly batchId: string | null;
  /** How many jobs it is about; null for one or none. */
  readonly jobs: number | null;
  /** Some of them at least; null for one or none. */
  readonly jobIds: readonly string[] | null;
}

/** An entry of the trail, whose details may hold anything. */
export interface TrailEntry {
  readonly auditId: string;
  readonly position: number;
  readonly action: EventType;
  readonly entityType: string;
  readonly entityId: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly at: Date;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAX_TEXT_LENGTH = 255;
const MAX_JOB_IDS = 100;

/** Where the details do not say it. */
const STATUS_AFTER: Readonly<Partial<Record<EventType, JobStatus>>> = {
  'job.claimed': 'RUNNING',
  'job.released': 'PENDING',
  'job.completed': 'COMPLETED',
  'job.failed': 'FAILED',
  'job.canceled': 'CANCELED',
};

/** Details come out of a database that the organization's own SQL role can write: what has another form counts as absent. */
export const readJobEvent = (entry: TrailEntry): JobEvent => {
  const { auditId: eventId, position, action: type, at, details } = entry;
  const jobIds = readIds(details['job_ids']);
  const jobs = readCount(details['jobs']) ?? jobIds?.length ?? null;
  const only = jobs === 1 ? jobIds?.[0] : null;
  return {
    eventId,
    position,
    type,
    at,
    jobId: readId(entry.entityType === 'job' ? entry.entityId : (details['job_id'] ?? only)),
    campaignId: readId(entry.entityType === 'campaign' ? entry.entityId : details['campaign_id']),
    status: readStatus(entry),
    engine: readText(details['engine']),
    worker: readText(details['worker']),
    attempt: readCount(details['attempt']),
    errorCode: readText(details['error_code']),
    batchId: entry.entityType === 'job_batch' ? readId(entry.entityId) : null,
    jobs,
    jobIds,
  };
};

const readStatus = ({ action, details }: TrailEntry): JobStatus | null => {
  const said = [details['status'], details['after']].find(isStatus);
  if (said !== undefined) return said;
  // Entries of releases that did not say it.
  if (action === 'job.submitted') return details['canonical_job_id'] === undefined ? 'PENDING' : 'COMPLETED';
  return STATUS_AFTER[action] ?? null;
};

const isStatus = (value: unknown): value is JobStatus => JOB_STATUSES.some((status) => status === value);

const readText = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value.slice(0, MAX_TEXT_LENGTH).toWellFormed() : null;

const readId = (value: unknown): string | null =>
  typeof value === 'string' && UUID.test(value) ? value : null;

const readCount = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;

/** A list that was too long ends with a text that says so. */
const readIds = (value: unknown): readonly string[] | null =>
  Array.isArray(value) ? value.slice(0, MAX_JOB_IDS).flatMap((id) => readId(id) ?? []) : null;
