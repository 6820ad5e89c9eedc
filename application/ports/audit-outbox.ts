/** An entry of the audit trail on its way. Nobody on the way looks into it. */
export interface OutboxEntry {
  /** Within the outbox, as text because it outgrows a double. */
  readonly position: string;
  /** As the outbox holds it, by its columns. */
  readonly entry: Readonly<Record<string, unknown>>;
}

/** Entries of the audit trail that were written with the results they tell of. For use in a transaction. */
export interface AuditOutbox {
  /** The oldest that no other transaction has taken; they are this transaction's until it ends. */
  take(limit: number): Promise<readonly OutboxEntry[]>;
  remove(entries: readonly OutboxEntry[]): Promise<void>;
}
