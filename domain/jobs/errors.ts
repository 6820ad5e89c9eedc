import { DomainError } from '../exceptions.ts';

/** Raised when the organization has no docking job of that id. */
export class JobNotFoundError extends DomainError {
  readonly code = 'job_not_found';

  constructor(jobId: string) {
    super('The organization has no such docking job.', { details: { job_id: jobId } });
  }
}

/** Raised when the organization has no cached result for that input signature. */
export class SignatureNotFoundError extends DomainError {
  readonly code = 'signature_not_found';

  constructor() {
    super('The organization has no cached result for this input signature.');
  }
}

/** Raised when a job's status does not allow the operation; the job is unchanged. */
export class JobStateConflictError extends DomainError {
  readonly code = 'job_state_conflict';

  constructor(from: string, wanted: string) {
    super(`A job that is ${from} cannot ${wanted}.`, { details: { status: from } });
  }
}

/** Raised when an attempt of a job has made another artifact of that name; nothing is written. */
export class ArtifactAlreadyExistsError extends DomainError {
  readonly code = 'artifact_already_exists';

  constructor() {
    super('The job has another artifact of this name.');
  }
}

/** Raised when an idempotency key was used before with a different request; nothing is written. */
export class IdempotencyKeyReusedError extends DomainError {
  readonly code = 'idempotency_key_reused';

  constructor() {
    super('This Idempotency-Key was used before with a different request.');
  }
}
