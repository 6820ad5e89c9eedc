/** An error in words. When all addresses of a host refuse, Node gives an `AggregateError`, whose own message is empty. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
};

/** Likewise, with what caused it. */
export const reasonsOf = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined
    ? `${reasonOf(error)} (${reasonsOf(error.cause)})`
    : reasonOf(error);
