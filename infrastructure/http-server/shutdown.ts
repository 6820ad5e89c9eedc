import type { Logger } from '../../application/ports/runtime/logger.ts';
import { withDeadline } from '../timing/with-deadline.ts';

export interface ShutdownPhase {
  readonly name: string;
  readonly deadlineMs: number;
  readonly run: () => Promise<void>;
}

/**
 * Runs the phases in order. A phase that fails or exceeds its deadline is logged and does not stop those after it.
 *
 * @returns whether all phases succeeded
 */
export const runPhases = async (phases: readonly ShutdownPhase[], logger: Logger): Promise<boolean> => {
  let clean = true;
  for (const { name, deadlineMs, run } of phases) {
    try {
      // The timer keeps the process alive: a phase without open handles would end it before the later phases.
      await withDeadline(run(), deadlineMs, true);
    } catch (error) {
      clean = false;
      logger.error({ err: error, phase: name }, 'a phase of the shutdown failed');
    }
  }
  return clean;
};
