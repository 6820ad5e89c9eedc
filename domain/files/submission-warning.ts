/** What a submission is told of, beside its job: it can run, but may not mean what was meant. */
export interface SubmissionWarning {
  readonly code: WarningCode;
  /** The place in the request. */
  readonly path: string;
  readonly message: string;
}

export const WARNING_CODES = ['large_box', 'receptor_outside_box'] as const;
export type WarningCode = (typeof WARNING_CODES)[number];
