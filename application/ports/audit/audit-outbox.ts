/** Entries of the audit trail on their way. Nobody on the way looks into them. */
export interface OutboxBatch {
  readonly count: number;
  /** A JSON array in the order of their writing, each by the outbox's columns. */
  readonly entries: string;
}

/** Entries of the audit trail that were written with the results they tell of. For use in a transaction. */
export interface AuditOutbox {
  /**
   * Takes out the oldest that no other transaction has taken. They are gone when this transaction commits, and still
   * there when it does not.
   */
  take(limit: number): Promise<OutboxBatch>;
}
