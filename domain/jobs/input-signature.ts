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
}

export const INPUT_SIGNATURE_PATTERN = /^[0-9a-f]{64}$/;

export interface InputSignatureRepository {
  /** Null when absent or expired. */
  find(signature: string): Promise<InputSignature | null>;
  /** Counts one use and returns the entry; null when absent or expired. */
  use(signature: string): Promise<InputSignature | null>;
  /**
   * Makes a completed job the canonical one of its signature, with the lowest confidence of its task results. Changes
   * nothing when the job has no task results.
   */
  canonize(job: { readonly jobId: string; readonly inputSignature: string }): Promise<void>;
}
