/** Tells an error in words. A host with several addresses that all refuse gives one of errors, which says nothing itself. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
};
