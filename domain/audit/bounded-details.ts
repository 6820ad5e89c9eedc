import type { AuditEvent } from './audit-log.ts';

type Details = AuditEvent['details'];

/** What an entry keeps of its details, as characters of JSON. Most have some hundred. */
const MAX_CHARACTERS = 8192;
const MAX_TEXT = 500;

/**
 * The details of an audit entry, cut to a size that a caller cannot choose: they hold names, keys and addresses that
 * callers have sent. What was cut says so; of what is not too large nothing is cut. Decision 0035.
 */
export const boundedDetails = (details: Details): Details =>
  JSON.stringify(details).length <= MAX_CHARACTERS ? details : { ...cutMembers(details), is_cut: true };

/** The details that an entry keeps of what happened. */
export const keptDetails = ({ details, reason }: Pick<AuditEvent, 'details' | 'reason'>): Details =>
  boundedDetails(reason === undefined ? details : { ...details, reason });

/** Each has the same room: a long list of names does not displace what stands behind it. */
const cutMembers = (details: Details): Details => {
  const members = Object.entries(details);
  const left = MAX_CHARACTERS / members.length;
  return Object.fromEntries(members.map(([name, value]) => [name, within(value, { left })]));
};

/** Characters that may still be written. */
interface Room {
  left: number;
}

const within = (value: unknown, room: Room): unknown => {
  if (typeof value === 'string') return textWithin(value, room);
  if (Array.isArray(value)) return itemsWithin(value, room);
  if (typeof value === 'object' && value !== null) return membersWithin(value, room);
  room.left -= String(value).length;
  return value;
};

const textWithin = (text: string, room: Room): string => {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT).toWellFormed()}…` : text;
  // With its quotes, the comma after it, and escapes.
  room.left -= JSON.stringify(cut).length + 1;
  return cut;
};

const itemsWithin = (items: readonly unknown[], room: Room): readonly unknown[] => {
  const kept: unknown[] = [];
  for (const item of items) {
    if (room.left <= 0) return [...kept, `… and ${items.length - kept.length} more`];
    kept.push(within(item, room));
  }
  return kept;
};

const membersWithin = (members: object, room: Room): Details => {
  const kept: [string, unknown][] = [];
  for (const [name, value] of Object.entries(members)) {
    if (room.left <= 0) break;
    kept.push([textWithin(name, room), within(value, room)]);
  }
  return Object.fromEntries(kept);
};
