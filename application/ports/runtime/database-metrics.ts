export const QUERY_OUTCOMES = ['ok', 'error'] as const;
export type QueryOutcome = (typeof QUERY_OUTCOMES)[number];

/** What is measured of the statements to the databases of one server. Its methods never throw. */
export interface DatabaseMetrics {
  /** A statement or a transaction got a connection, or gave up waiting for one. */
  waited(seconds: number): void;
  /** A statement ended. The wait for its connection is not in its time; statements of a transaction that are sent together have one. */
  queried(seconds: number, outcome: QueryOutcome): void;
  /** A request gave its organization's pool back. */
  leased(seconds: number): void;
}
