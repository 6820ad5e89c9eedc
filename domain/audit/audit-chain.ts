/** An entry of the trail as its hash covers it. */
export interface ChainedEntry {
  /** Decimal digits. */
  readonly position: string;
  readonly auditId: string;
  readonly organizationId: string | null;
  readonly userId: string | null;
  readonly action: string;
  readonly entityType: string;
  readonly entityId: string;
  /** The details in the text form of PostgreSQL's `jsonb`. */
  readonly details: string;
  readonly requestId: string | null;
  readonly address: string | null;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.mmmZ`; null for a moment that is not finite. */
  readonly time: string | null;
}

/**
 * What is hashed of an entry, after the bytes of the hash before it (none for the first entry of a chain). It is the text form
 * that PostgreSQL gives a `jsonb` array of these eleven values, and part of the outside contract: kept heads depend on it.
 * SHA-256 of the UTF-8 bytes of both is the entry's hash. Decision 0037.
 */
export const chainedText = (entry: ChainedEntry): string => {
  const values = [
    entry.position,
    JSON.stringify(entry.auditId),
    JSON.stringify(entry.organizationId),
    JSON.stringify(entry.userId),
    JSON.stringify(entry.action),
    JSON.stringify(entry.entityType),
    JSON.stringify(entry.entityId),
    entry.details,
    JSON.stringify(entry.requestId),
    JSON.stringify(entry.address),
    JSON.stringify(entry.time),
  ];
  return `[${values.join(', ')}]`;
};
