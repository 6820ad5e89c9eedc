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

/** Raised when a job has another artifact of that name; nothing is written. */
export class ArtifactAlreadyExistsError extends DomainError {
  readonly code = 'artifact_already_exists';

  constructor() {
    super('The job has another artifact of this name.');
  }
}

/** Raised when a job is held by a lease and the writer names none; nothing is written. */
export class LeaseRequiredError extends DomainError {
  readonly code = 'lease_required';

  constructor() {
    super('A worker holds this job by a lease. Name that lease in X-Lease-Id.');
  }
}

/** Raised when a lease is not, or no longer, the one that holds the job; nothing is written. */
export class LeaseLostError extends DomainError {
  readonly code = 'lease_lost';

  constructor() {
    super('This lease does not hold the job. Stop working on it.');
  }
}

/** Raised when a worker has failed so often of late that it gets no jobs for a while. */
export class WorkerBenchedError extends DomainError {
  readonly code = 'worker_benched';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('This worker has failed several times in a row. It gets no jobs for a while.', {
      details: { retry_after_seconds: retryAfterSeconds },
    });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Raised when an idempotency key was used before with a different request; nothing is written. */
export class IdempotencyKeyReusedError extends DomainError {
  readonly code = 'idempotency_key_reused';

  constructor() {
    super('This Idempotency-Key was used before with a different request.');
  }
}
