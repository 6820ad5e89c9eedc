/** Audit entries in transit from an outbox to the trail. */
export interface OutboxBatch {
  readonly count: number;
  /** The outbox's rows as JSON values, in the order in which they were written. Input: `readCarriedEntries` reads them. */
  readonly rows: readonly unknown[];
}

/** The outbox of one results database, with the audit entries of its writes. Use it in a transaction. Decision 0015. */
export interface AuditOutbox {
  /**
   * Removes and returns the oldest entries that no other transaction has locked. A rollback puts them back. Texts are cut, and
   * details that are too long left out, before they leave the database.
   */
  take(limit: number): Promise<OutboxBatch>;
}
