import type { EngineEnd } from './engine-process.ts';
import { JobFailure, type FailureCode } from './job-failure.ts';
import { storedText } from './stored-text.ts';
import { hasPoses, parseVinaOutput, type VinaPose } from './vina-output.ts';

/** What is left of a run of Vina. */
export interface FinishedRun extends EngineEnd {
  readonly errors: string;
  /** The file of poses; null: there is none. */
  readonly output: string | null;
  /** From 1 on. */
  readonly attempt: number;
}

/** Raised when the program that was there at the worker's start cannot be run. */
class EngineNotStartedError extends Error {
  override readonly name = 'EngineNotStartedError';
}

const MAX_MESSAGE_BYTES = 1000;
/** Of `setpriv` and `prlimit`, when what they are to run cannot be run. */
const NOT_STARTED: readonly number[] = [126, 127];
/** Vina says the first, and the C++ library the second. */
const OUT_OF_MEMORY = /insufficient memory|std::bad_alloc/;

/**
 * Says what came of a run. Exit code 0 does not mean poses: Vina 1.2.3 writes none, or an empty file, and ends well.
 *
 * @returns at least one pose
 * @throws {JobFailure}
 * @throws {EngineNotStartedError} which is no failure of the job
 */
export const judgeRun = (run: FinishedRun): readonly VinaPose[] => {
  const { exitCode, signal, errors, output } = run;
  const hasFailed = exitCode !== 0;
  if (exitCode !== null && NOT_STARTED.includes(exitCode))
    throw new EngineNotStartedError(
      `Vina cannot be started: ${storedText(errors, MAX_MESSAGE_BYTES).trim()}`,
    );
  if (signal === 'SIGKILL' || (hasFailed && OUT_OF_MEMORY.test(errors)))
    // Another machine may have more memory. The same ligand that kills a second worker would kill every one.
    return fail('out_of_memory_or_killed', killedMessage(signal), run.attempt === 1);
  if (hasFailed) {
    const how = signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
    const said = storedText(errors, MAX_MESSAGE_BYTES).trim();
    return fail('engine_error', said === '' ? `Vina ended with ${how}` : `Vina ended with ${how}: ${said}`);
  }
  if (output === null || !hasPoses(output)) return fail('no_poses', 'Vina ended well and wrote no pose');
  try {
    return parseVinaOutput(output);
  } catch (error) {
    const problem = storedText(String(error), MAX_MESSAGE_BYTES);
    return fail('unreadable_output', `Vina's file of poses cannot be read: ${problem}`);
  }
};

const killedMessage = (signal: NodeJS.Signals | null): string =>
  signal === 'SIGKILL'
    ? 'Vina was killed, as a system does that runs out of memory'
    : "Vina needed more memory than the worker's limit for one job";

const fail = (code: FailureCode, message: string, retryable = false): never => {
  throw new JobFailure({ code, message, retryable });
};
