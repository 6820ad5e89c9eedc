import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import type { AttemptError, AttemptUsage, JobAttempt } from '../../../domain/jobs/job-attempt.ts';
import type {
  AttemptKey,
  Cancellation,
  ClaimedJob,
  ClaimResult,
  Heartbeat,
  JobAttemptRepository,
  JobClaim,
  LeaseKey,
  LeaseState,
  LockedAttempt,
  Outlook,
  Settlement,
} from '../../../domain/jobs/job-attempt-repository.ts';
import type { PagePart, PartRequest } from '../../../domain/page.ts';
import { toPart } from '../sized-list.ts';
import { dynamicQuery, sql, type SqlExecutor } from '../statement.ts';
import { claimAny, claimReady, type ClaimedRow } from './claim-statement.ts';
import { toDockingJob } from './docking-job-columns.ts';
import {
  cancelLocked,
  countCannotRun,
  extend,
  hasLive,
  heartbeat,
  list,
  lock,
  lockClaims,
  outlook,
  settle,
  settleAndDrop,
  type AttemptRow,
} from './job-attempt-statements.ts';
import { textArray } from './text-array.ts';

export class KnexJobAttemptRepository implements JobAttemptRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async claim(
    { worker, engines, ...asked }: JobClaim,
    note: Omit<WriteNote, 'action' | 'details'>,
  ): Promise<ClaimResult> {
    const values = {
      ...asked,
      engines: JSON.stringify(engines),
      worker: worker.name,
      workerVersion: worker.version,
      note: JSON.stringify(note),
    };
    let rows = await this.#executor.query(claimReady(values));
    if (rows[0]?.othersExist === true && rows[0].room > 0)
      rows = await this.#executor.query(claimAny(values));
    const [first] = rows;
    if (first === undefined) throw new Error('a claim returned no row');
    const { benchedSeconds, room } = first;
    const claimed = rows.flatMap((row) => (row.jobId === null ? [] : [toClaimedJob(row, worker.name)]));
    return { claimed, benchedSeconds, room };
  }

  async lockClaims(): Promise<void> {
    await this.#executor.query(lockClaims({}));
  }

  async outlook(engines: readonly string[]): Promise<Outlook> {
    const [row] = await this.#executor.query(outlook({ engines }));
    if (row === undefined) throw new Error('a look returned no row');
    return row;
  }

  async heartbeat(
    beats: readonly Heartbeat[],
  ): Promise<readonly { readonly state: LeaseState; readonly expiresAt: Date | null }[]> {
    const rows = await this.#executor.query(
      heartbeat({
        leaseIds: beats.map(({ leaseId }) => leaseId),
        jobIds: beats.map(({ jobId }) => jobId),
        progress: beats.map(({ progress }) => (progress === null ? null : JSON.stringify(progress))),
      }),
    );
    const found = new Map(rows.map((row) => [row.leaseId, row]));
    return beats.map(({ jobId, leaseId }) => {
      const row = found.get(leaseId);
      if (row?.jobId !== jobId) return { state: 'lost', expiresAt: null };
      return { state: row.expiresAt === null ? 'canceled' : 'held', expiresAt: row.expiresAt };
    });
  }

  async lock(leases: readonly LeaseKey[]): Promise<readonly (LockedAttempt | null)[]> {
    const jobIds = textArray(leases.map(({ jobId }) => jobId));
    const leaseIds = textArray(leases.map(({ leaseId }) => leaseId));
    const rows = await this.#executor.query(lock({ jobIds, leaseIds }));
    const found = new Map(rows.map(({ leaseId, outcome, ...job }) => [leaseId, { job, outcome }]));
    return leases.map(({ jobId, leaseId }) => {
      const locked = found.get(leaseId);
      return locked?.job.jobId === jobId ? locked : null;
    });
  }

  async hasLive(jobId: string): Promise<boolean> {
    return (await this.#executor.query(hasLive({ jobId }))).length > 0;
  }

  async extend(leaseId: string): Promise<void> {
    await this.#executor.query(extend({ leaseId }));
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    const jobIds = textArray(settlements.map(({ jobId }) => jobId));
    const statement = settlements.some(({ dropsOutput }) => dropsOutput) ? settleAndDrop : settle;
    await this.#executor.query(statement({ jobIds, settlements: JSON.stringify(settlements) }));
  }

  async countCannotRun(jobId: string): Promise<number> {
    const [row] = await this.#executor.query(countCannotRun({ jobId }));
    return row?.count ?? 0;
  }

  async cancel(
    { campaignId, jobIds, status, submittedBy }: Cancellation,
    limit: number,
    note: WriteNote,
  ): Promise<number> {
    const wanted = sql('docking_jobs')
      .select('job_id as jobId')
      .whereIn('status', status === null ? ['PENDING', 'RUNNING'] : [status])
      .orderBy('job_id')
      .limit(limit)
      .forNoKeyUpdate();
    if (campaignId !== null) wanted.where('campaign_id', campaignId);
    if (jobIds !== null) wanted.whereRaw('job_id = any(?::uuid[])', [[...jobIds]]);
    if (submittedBy !== null) wanted.where('submitted_by', submittedBy);
    const locked = await this.#executor.query({
      ...dynamicQuery<{ readonly jobId: string }>(wanted),
      readOnly: false,
    });
    if (locked.length === 0) return 0;
    const [row] = await this.#executor.query(
      cancelLocked({ jobIds: locked.map(({ jobId }) => jobId), note: JSON.stringify(note) }),
    );
    return row?.canceled ?? 0;
  }

  async listByJob(
    jobId: string,
    { after, ...part }: PartRequest<AttemptKey>,
  ): Promise<PagePart<JobAttempt, AttemptKey>> {
    const key = after === null ? null : [after.startedAt.toISOString(), after.leaseId];
    const rows = await this.#executor.query(list({ job_id: jobId }, { after: key, ...part }));
    return toPart(rows, toAttempt, ({ startedAt, leaseId }) => ({ startedAt, leaseId }));
  }
}

const toClaimedJob = (
  {
    leaseId,
    expiresAt,
    leaseRuntimeSeconds,
    benchedSeconds: _benchedSeconds,
    room: _room,
    othersExist: _othersExist,
    number: _number,
    ...job
  }: ClaimedRow,
  worker: string,
): ClaimedJob => {
  return {
    job: { ...toDockingJob({ ...job, live: null }), lease: { worker, expiresAt } },
    lease: { leaseId, attempt: job.attempt, expiresAt, maxRuntimeSeconds: leaseRuntimeSeconds },
  };
};

const toAttempt = ({
  workerName: name,
  workerVersion: version,
  error,
  usage,
  ...row
}: AttemptRow): JobAttempt => ({
  worker: { name, version },
  // Only `settle` writes these columns.
  error: error === null ? null : (JSON.parse(error) as AttemptError),
  usage: usage === null ? null : (JSON.parse(usage) as AttemptUsage),
  ...row,
});
