import { RoleRequiredError } from '../../domain/identity/errors.ts';
import { hasAnyRole } from '../../domain/identity/principal.ts';
import type { Role } from '../../domain/identity/role.ts';
import { assertMove, type DockingJob, type JobStatus } from '../../domain/jobs/docking-job.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';
import { lockJob } from './get-job.ts';

export interface JobMove {
  readonly jobId: string;
  readonly status: JobStatus;
  readonly error: string | null;
}

/** May make every move; anyone else may only cancel what they submitted themselves. */
const MOVERS: readonly Role[] = ['worker', 'org_admin'];

/**
 * Moves a job along. A job that completes with task results becomes the canonical job of its input signature.
 *
 * @throws {JobNotFoundError}
 * @throws {RoleRequiredError} when the job is somebody else's, or the move is not a cancellation
 * @throws {JobStateConflictError} when the move is not legal
 */
export const moveJob = (database: ResultsDatabase, actor: Actor, move: JobMove): Promise<DockingJob> =>
  database.transaction(async (repositories) => {
    const { principal } = actor;
    const job = await lockJob(repositories, move.jobId);
    const cancelsOwn = move.status === 'CANCELED' && job.submittedBy === principal.userId;
    if (!cancelsOwn && !hasAnyRole(principal, MOVERS)) throw new RoleRequiredError(MOVERS);
    assertMove(job.status, move.status);
    const note = noteOf(actor, 'job.moved', { before: job.status, after: move.status });
    const moved = await repositories.jobs.setStatus(move.jobId, move.status, move.error, note);
    if (moved.status === 'COMPLETED') await repositories.inputSignatures.canonize(moved);
    return moved;
  });
