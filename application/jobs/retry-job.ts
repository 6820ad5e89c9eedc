import { RoleRequiredError } from '../../domain/identity/errors.ts';
import { hasAnyRole } from '../../domain/identity/principal.ts';
import { readObject } from '../../domain/jobs/docking-job.ts';
import type { NewDockingJob } from '../../domain/jobs/docking-job-repository.ts';
import { JobStateConflictError } from '../../domain/jobs/errors.ts';
import { noteOf, type Actor } from '../actor.ts';
import { pendingQuota } from '../limits/pending-quota.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';
import type { Ports } from '../ports/ports.ts';
import { getJob } from './get-job.ts';
import { jobDetails } from './job-details.ts';
import { recordJob, type Submitted } from './submit-job.ts';

/**
 * Submits a job anew that failed or was canceled. The old one stays as it is: finished jobs never change (decision 0004).
 *
 * @throws {JobNotFoundError}
 * @throws {RoleRequiredError} when the job is somebody else's
 * @throws {JobStateConflictError} when it has not failed
 * @throws {IdempotencyKeyReusedError} when the key came before with another request
 * @throws {CampaignArchivedError} when its campaign takes no new jobs
 * @throws {QuotaExceededError} when the organization has as many jobs waiting as it may
 */
export const retryJob =
  ({ canonicalJson, newJobId, policies }: Pick<Ports, 'canonicalJson' | 'newJobId' | 'policies'>) =>
  async (
    database: ResultsDatabase,
    actor: Actor,
    { jobId, idempotencyKey }: { readonly jobId: string; readonly idempotencyKey: string | null },
  ): Promise<Submitted> => {
    const job = await getJob(database, jobId);
    const { principal } = actor;
    const { userId } = principal;
    if (job.submittedBy !== userId && !hasAnyRole(principal, ['org_admin']))
      throw new RoleRequiredError(['org_admin']);
    if (job.status !== 'FAILED' && job.status !== 'CANCELED')
      throw new JobStateConflictError(job.status, 'be retried');
    const { engine, pipelineVersion, priority, inputSignature, label, campaignId } = job;
    const { maxAttempts, maxRuntimeSeconds } = job;
    const retry: NewDockingJob = {
      jobId: newJobId(),
      status: 'PENDING',
      engine,
      pipelineVersion,
      inputs: readObject(job.inputs),
      params: readObject(job.params),
      priority,
      inputSignature,
      submittedBy: userId,
      cache: { hit: false, canonicalJobId: null, confidenceScore: null },
      label,
      campaignId,
      retryOf: jobId,
      maxAttempts,
      maxRuntimeSeconds,
      idempotency:
        idempotencyKey === null
          ? null
          : { key: idempotencyKey, requestHash: canonicalJson.hashOf(`{"retry_of":"${jobId}"}`) },
      note: noteOf(actor, 'job.submitted', {
        ...jobDetails(job, 'PENDING'),
        pipeline_version: pipelineVersion,
        priority,
        retry_of: jobId,
      }),
    };
    return recordJob(database, retry, pendingQuota(policies, actor));
  };
