/** What a fleet run has met with so far. */
export interface FleetFailures {
  /** The wave under way; the canaries are wave 0. */
  readonly wave: number;
  /** Failures that do not halt the run. */
  readonly errorBudget: number;
  /** Failures that an operator has accepted by resuming the run; they count no more. */
  readonly accepted: number;
  /** Organizations whose migration failed, accepted ones included. */
  readonly failed: number;
  /** Those of them that are canaries. */
  readonly failedCanaries: number;
}

/**
 * Says why a fleet run halts; null when it goes on. A canary's failure halts it at once: canaries go first to show what
 * would fail everywhere. Later failures halt it when they exceed the error budget. Decision 0010.
 */
export const reasonToHalt = ({
  wave,
  errorBudget,
  accepted,
  failed,
  failedCanaries,
}: FleetFailures): string | null => {
  const failures = failed - accepted;
  if (failures <= 0) return null;
  if (wave === 0 && failedCanaries > 0) return 'a canary failed';
  if (failures <= errorBudget) return null;
  return `${failures} organizations failed, and the error budget is ${errorBudget}`;
};
