import type { Logger } from '../../application/ports/logger.ts';

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
      await beforeDeadline(run(), deadlineMs);
    } catch (error) {
      clean = false;
      logger.error({ err: error, phase: name }, 'a phase of the shutdown failed');
    }
  }
  return clean;
};

const beforeDeadline = (work: Promise<void>, deadlineMs: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not done after ${deadlineMs} ms`)), deadlineMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
