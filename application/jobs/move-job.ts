import { RoleRequiredError } from '../../domain/identity/errors.ts';
import { hasAnyRole } from '../../domain/identity/principal.ts';
import type { Role } from '../../domain/identity/role.ts';
import type { WriteNote } from '../../domain/audit/audit-log.ts';
import {
  assertMove,
  type DockingJob,
  type JobStatus,
  type LockedJob,
} from '../../domain/jobs/docking-job.ts';
import { LeaseRequiredError } from '../../domain/jobs/errors.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase, ResultsRepositories } from '../ports/databases/results-database.ts';
import { getJob, lockJob } from './get-job.ts';
import { jobDetails } from './job-details.ts';
import { isHeld, lockForWriter } from './lock-for-writer.ts';

export interface JobMove {
  readonly jobId: string;
  readonly status: JobStatus;
  readonly error: string | null;
  /** The lease under which a worker moves it; null: none. */
  readonly leaseId: string | null;
}

/** May make every move; anyone else may only cancel what they submitted themselves. */
const MOVERS: readonly Role[] = ['worker', 'org_admin'];

/**
 * Moves a job along, and ends the attempt of a worker that holds it. A job that completes with task results becomes the
 * canonical job of its input signature.
 *
 * @throws {JobNotFoundError}
 * @throws {RoleRequiredError} when the job is somebody else's, or the move is not a cancellation
 * @throws {JobStateConflictError} when the move is not legal
 * @throws {LeaseRequiredError} when a worker holds the job, and the caller is neither its owner who cancels nor an administrator
 * @throws {LeaseLostError} when the lease does not hold the job
 */
export const moveJob = (database: ResultsDatabase, actor: Actor, move: JobMove): Promise<DockingJob> =>
  database.transaction(async (repositories) => {
    const { principal } = actor;
    const { jobId, status, error, leaseId } = move;
    const job = await (leaseId === null
      ? lockJob(repositories, jobId)
      : lockForWriter(repositories, jobId, leaseId));
    const cancelsOwn = status === 'CANCELED' && job.submittedBy === principal.userId;
    if (!cancelsOwn && !hasAnyRole(principal, MOVERS)) throw new RoleRequiredError(MOVERS);
    assertMove(job.status, status);
    const held = await isHeld(repositories, job);
    const needsLease = !cancelsOwn && !hasAnyRole(principal, ['org_admin']);
    if (held && needsLease && leaseId === null) throw new LeaseRequiredError();
    const details = { ...jobDetails(job, status), before: job.status, after: status };
    const note = noteOf(actor, 'job.moved', details);
    const moved = held
      ? await endAttempt(repositories, job, move, note)
      : await repositories.jobs.setStatus(jobId, status, error, note);
    if (moved.status === 'COMPLETED') await repositories.inputSignatures.canonize([moved]);
    return moved;
  });

const endAttempt = async (
  repositories: ResultsRepositories,
  { attempt }: LockedJob,
  { jobId, status, error }: JobMove,
  note: WriteNote,
): Promise<DockingJob> => {
  // A job that runs moves to nothing else.
  const outcome = status === 'COMPLETED' || status === 'FAILED' ? status : 'CANCELED';
  const end = { outcome, error: null, usage: null, logTail: null, releaseReason: null } as const;
  await repositories.attempts.settle([
    { jobId, status, error, errorCode: null, attempt, delaySeconds: 0, end, dropsOutput: false, note },
  ]);
  return getJob(repositories, jobId);
};
