import type { ResultsDatabase, ResultsRepositories } from '../ports/databases/results-database.ts';

/** Thrown by the work of a transaction whose idempotency key an earlier request took. Rolls back what it has counted. */
export class KeyTaken extends Error {}

/** The result of work in one transaction; null when it found its idempotency key taken, and then nothing was written. */
export const unlessKeyTaken = async <Result>(
  database: ResultsDatabase,
  work: (repositories: ResultsRepositories) => Promise<Result>,
): Promise<Result | null> => {
  try {
    return await database.transaction(work);
  } catch (error) {
    if (error instanceof KeyTaken) return null;
    throw error;
  }
};
