import type { Logger } from '../../application/ports/runtime/logger.ts';
import { withDeadline } from '../timing/with-deadline.ts';

export interface ShutdownPhase {
  readonly name: string;
  readonly deadlineMs: number;
  readonly run: () => Promise<void>;
}

/** Runs the phases in their order, also after one that failed or overran its deadline. Returns whether all went well. */
export const runPhases = async (phases: readonly ShutdownPhase[], logger: Logger): Promise<boolean> => {
  let clean = true;
  for (const { name, deadlineMs, run } of phases) {
    try {
      // The deadline keeps the process: a phase that waits for nothing would let it end before the next phases.
      await withDeadline(run(), deadlineMs, true);
    } catch (error) {
      clean = false;
      logger.error({ err: error, phase: name }, 'a phase of the shutdown failed');
    }
  }
  return clean;
};
