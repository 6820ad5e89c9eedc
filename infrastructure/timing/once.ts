/**
 * Returns a function that calls `ask` at its first call and gives the same promise to every caller. After a rejection
 * the next call asks again.
 */
export const once = <Value>(ask: () => Promise<Value>): (() => Promise<Value>) => {
  let asked: Promise<Value> | null = null;
  return () => {
    asked ??= ask().catch((error: unknown) => {
      asked = null;
      throw error;
    });
    return asked;
  };
};
