import { toPrintable } from '../printable.ts';
import type { AuditEvent } from './audit-log.ts';

/** An entry that waited in the outbox of a results database. */
export interface CarriedEntry extends Omit<AuditEvent, 'organizationId'> {
  readonly auditId: string;
  readonly at: Date;
}

/** Details that are longer, as text, stay behind in the outbox's database: the trail says only that there were some. */
export const MAX_CARRIED_DETAILS_BYTES = 65_536;
export const MAX_CARRIED_TEXT_LENGTH = 255;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** How far the clock of a database server may be ahead of this process's. */
const MAX_AHEAD_MS = 5 * 60_000;

/**
 * Reads what an outbox gave. An organization's own SQL role can write there, so rows are input: texts are cut and made
 * printable, and a time that is no moment between 1970 and now becomes now. Every entry that has an id is carried, the first of
 * those with one id alone.
 *
 * @param nowMs milliseconds since 1970
 */
export const readCarriedEntries = (rows: readonly unknown[], nowMs: number): readonly CarriedEntry[] => {
  const entries = new Map<string, CarriedEntry>();
  for (const row of rows) {
    const entry = readEntry(row, nowMs);
    if (entry !== null && !entries.has(entry.auditId)) entries.set(entry.auditId, entry);
  }
  return [...entries.values()];
};

const readEntry = (row: unknown, nowMs: number): CarriedEntry | null => {
  if (!isObject(row)) return null;
  const auditId = row['audit_id'];
  if (typeof auditId !== 'string' || !UUID.test(auditId)) return null;
  return {
    auditId,
    userId: readText(row['user_id']),
    action: readText(row['action']) ?? UNKNOWN,
    entityType: readText(row['entity_type']) ?? UNKNOWN,
    entityId: readText(row['entity_id']) ?? UNKNOWN,
    details: isObject(row['details']) ? row['details'] : { unreadable: true },
    requestId: readText(row['request_id']),
    address: readText(row['address']),
    at: new Date(readTime(row['ts'], nowMs)),
  };
};

const UNKNOWN = 'unknown';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const readText = (value: unknown): string | null =>
  typeof value === 'string' ? toPrintable(value.slice(0, MAX_CARRIED_TEXT_LENGTH)) : null;

const readTime = (value: unknown, nowMs: number): number => {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return time >= 0 && time <= nowMs + MAX_AHEAD_MS ? time : nowMs;
};
