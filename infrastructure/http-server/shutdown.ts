import type { Logger } from '../../application/ports/runtime/logger.ts';
import { withDeadline } from '../timing/with-deadline.ts';

export interface ShutdownPhase {
  readonly name: string;
  readonly deadlineMs: number;
  readonly run: () => Promise<void>;
}

/** Runs every phase in its order, also after one failed or overran its deadline. Returns whether all went well. */
export const runPhases = async (phases: readonly ShutdownPhase[], logger: Logger): Promise<boolean> => {
  let clean = true;
  for (const { name, deadlineMs, run } of phases) {
    try {
      // A phase that hangs on nothing would let the process end before the phases that follow.
      await withDeadline(run(), deadlineMs, true);
    } catch (error) {
      clean = false;
      logger.error({ err: error, phase: name }, 'a phase of the shutdown failed');
    }
  }
  return clean;
};
