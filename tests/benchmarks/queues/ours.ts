import type { Actor } from '../../../application/actor.ts';
import type { Claimed } from '../../../application/jobs/claim-jobs.ts';
import { completeJob } from '../../../application/jobs/complete-job.ts';
import type { ResultsDatabase } from '../../../application/ports/databases/results-database.ts';
import { TOKENS } from '../../../infrastructure/composition/tokens.ts';
import { claimUnhinted } from '../../support/claim-unhinted.ts';
import { organizationId, type Deployment } from '../../support/deployment.ts';
import { timed } from '../statistics.ts';
import { BATCH, CLIENTS, untilEmpty, type Queue } from './peers.ts';

const ENGINE = 'vina';

export const actorIn = (id: string): Actor => ({
  principal: { userId: 'worker', organizationId: organizationId(id), roles: new Set(['worker']) },
  requestId: 'benchmark',
  address: null,
});

export const CLAIM = {
  worker: { name: 'worker', version: null },
  engines: [ENGINE],
  limit: BATCH,
  leaseSeconds: 120,
  maxRuntimeSeconds: 3600,
  maxRunningJobs: null,
} as const;

/** Writes small jobs that wait, of a hundred priorities. */
export const fill = async (deployment: Deployment, id: string, count: number): Promise<void> => {
  const name = deployment.databaseName(id);
  await deployment.administer(
    `insert into docking_jobs
       (job_id, status, engine, pipeline_version, inputs, params, priority, input_signature, submitted_by)
     select gen_random_uuid(), 'PENDING', '${ENGINE}', '1.0.0', jsonb_build_object('serial', serial), '{}', serial % 100,
       encode(sha256(serial::text::bytea), 'hex'), 'user-1'
     from generate_series(1, ${count}) as serial`,
    [],
    name,
  );
  await deployment.administer('vacuum analyze docking_jobs', [], name);
};

/** The organization's database, leased for as long as the benchmark goes on. */
export const lease = async (
  deployment: Deployment,
  id: string,
): Promise<{ database: ResultsDatabase; release: () => void }> => {
  const settings = { DB_ORG_POOL_SIZE: String(CLIENTS), DB_ORG_MAX_OVERFLOW: '0' };
  return deployment.start(settings).get(TOKENS.connectionManager).acquire(organizationId(id));
};

/** Claims a batch and completes it, as the routes do, without HTTP. */
export const openOurs = async (deployment: Deployment, id: string): Promise<Queue> => {
  const { database, release } = await lease(deployment, id);
  const actor = actorIn(id);
  const claimAndComplete = async (): Promise<number> => {
    const { items } = await claimUnhinted(database, actor, CLAIM);
    await completeAll(database, actor, items);
    return items.length;
  };
  return {
    workOff: async (count) => {
      await fill(deployment, id, count);
      return timed(async () => {
        const done = await untilEmpty(claimAndComplete);
        if (done !== count) throw new Error(`claims gave ${done} jobs of ${count}`);
      });
    },
    close: async () => release(),
  };
};

const completeAll = async (
  database: ResultsDatabase,
  actor: Actor,
  items: Claimed['items'],
): Promise<void> => {
  for (const { job, lease: held } of items)
    await completeJob(database, actor, {
      jobId: job.jobId,
      leaseId: held.leaseId,
      error: null,
      taskResults: [],
      artifacts: [],
      usage: null,
      logTail: null,
    });
};
