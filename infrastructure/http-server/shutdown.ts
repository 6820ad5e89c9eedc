import type { Logger } from '../../application/ports/runtime/logger.ts';
import { withDeadline } from '../timing/with-deadline.ts';

export interface ShutdownPhase {
  readonly name: string;
  /** The part of the time for all phases by whose end this one has to be over: above that of the phase before, up to 1. */
  readonly endsBy: number;
  readonly run: () => Promise<void>;
}

/**
 * Runs the phases in order within `timeoutMs`. A phase that fails or is late is logged and does not stop those after it:
 * each has its own part of the time, and what the phases before it did not need. Decision 0042.
 *
 * @returns the names of the phases that failed or were late
 */
export const runPhases = async (
  phases: readonly ShutdownPhase[],
  { timeoutMs, logger }: { readonly timeoutMs: number; readonly logger: Logger },
): Promise<readonly string[]> => {
  const beganAt = performance.now();
  const unfinished: string[] = [];
  for (const { name, endsBy, run } of phases) {
    const deadlineMs = Math.max(0, Math.round(beganAt + endsBy * timeoutMs - performance.now()));
    try {
      // The timer keeps the process alive: a phase without open handles would end it before the later phases.
      await withDeadline(run(), deadlineMs, true);
    } catch (error) {
      unfinished.push(name);
      logger.write('service.stop_phase_failed', { err: error, phase: name });
    }
  }
  return unfinished;
};
