/** Audit entries in transit from an outbox to the trail. The relay does not parse them. */
export interface OutboxBatch {
  readonly count: number;
  /** A JSON array of the outbox's rows, in the order in which they were written. */
  readonly entries: string;
}

/** The outbox of one results database, with the audit entries of its writes. Use it in a transaction. Decision 0015. */
export interface AuditOutbox {
  /** Removes and returns the oldest entries that no other transaction has locked. A rollback puts them back. */
  take(limit: number): Promise<OutboxBatch>;
}
