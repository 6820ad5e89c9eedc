import type { WriteNote } from '../audit/audit-log.ts';

/** A cache entry: the job whose results answer for all jobs with the same inputs. */
export interface InputSignature {
  /** Lower-case hex SHA-256 of the canonical JSON of the job's specification. */
  readonly signature: string;
  readonly canonicalJobId: string;
  readonly confidenceScore: number | null;
  readonly hitCount: number;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  /** Null: never. */
  readonly expiresAt: Date | null;
  /** A pinned entry does not expire, and no later job replaces its canonical job. */
  readonly pinned: boolean;
}

export const INPUT_SIGNATURE_PATTERN = /^[0-9a-f]{64}$/;

export interface InputSignatureRepository {
  /** Null when absent or expired. */
  find(signature: string): Promise<InputSignature | null>;
  /** Counts one use and returns the entry; null when absent or expired. */
  use(signature: string): Promise<InputSignature | null>;
  /**
   * Counts as many uses of each signature as are given, in one step.
   *
   * @returns the entries that are there and not expired, by their signatures
   */
  useAll(uses: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, InputSignature>>;
  /**
   * Settles what the task results of jobs that complete amount to. Poses become a job's score, which rankings show. The job
   * becomes the canonical one of its signature, with the lowest confidence of its task results, unless it has none, one of
   * them is suspect, or the signature's entry is pinned. Of several jobs with one signature the last does. Decision 0047.
   */
  canonize(jobs: readonly { readonly jobId: string; readonly inputSignature: string }[]): Promise<void>;
  /** Null, and nothing is written, when absent or expired. */
  pin(signature: string, note: WriteNote): Promise<InputSignature | null>;
  unpin(signature: string, note: WriteNote): Promise<InputSignature | null>;
  /** Removes the entry, so that it answers for no more jobs; null when absent or expired. */
  invalidate(signature: string, note: WriteNote): Promise<InputSignature | null>;
}
