/** What the ledger keeps as the last error of a database that is ready in the ledger and cannot be served. */
export const MISSING = 'The database is missing on the server.';
export const MISPLACED = 'The database of its name on the server is another one than recorded.';
export const LOCKED_OUT = "The organization's role cannot use its database.";

/** Whether an error of the ledger is one of those above, which go away with their cause. */
export const isServerProblem = (lastError: string | null): boolean =>
  lastError === MISSING || lastError === MISPLACED || lastError === LOCKED_OUT;
