/** SQLSTATEs that the adapters understand. */
export const UNIQUE_VIOLATION = '23505';
export const FOREIGN_KEY_VIOLATION = '23503';

/** Whether PostgreSQL refused a statement for this reason, at this constraint when one is named. */
export const isViolation = (error: unknown, sqlState: string, constraint: string): boolean =>
  error instanceof Error &&
  'code' in error &&
  error.code === sqlState &&
  'constraint' in error &&
  error.constraint === constraint;
