import type { Actor } from '../../../application/actor.ts';
import type { Claimed } from '../../../application/jobs/claim-jobs.ts';
import { completeJobs, type Completion } from '../../../application/jobs/complete-job.ts';
import type { ResultsDatabase } from '../../../application/ports/databases/results-database.ts';
import { TOKENS } from '../../../infrastructure/composition/tokens.ts';
import { organizationId, type Deployment } from '../../support/deployment.ts';
import { timed } from '../statistics.ts';
import { BATCH, CLIENTS, untilEmpty, type Queue } from './peers.ts';

const ENGINE = 'vina';

const actorIn = (id: string): Actor => ({
  principal: { userId: 'worker', organizationId: organizationId(id), roles: new Set(['worker']) },
  requestId: 'benchmark',
  address: null,
});

const CLAIM = {
  worker: { name: 'worker', version: null },
  engines: [ENGINE],
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
export interface LeasedOrganization {
  readonly database: ResultsDatabase;
  readonly actor: Actor;
  readonly release: () => void;
  readonly claim: (limit?: number) => Promise<Claimed>;
}

export const lease = async (deployment: Deployment, id: string): Promise<LeasedOrganization> => {
  const settings = { DB_ORG_POOL_SIZE: String(CLIENTS), DB_ORG_MAX_OVERFLOW: '0' };
  const container = deployment.start(settings);
  const { claimJobs } = container.get(TOKENS.useCases);
  const { database, release } = await container.get(TOKENS.connectionManager).acquire(organizationId(id));
  const actor = actorIn(id);
  const claim = (limit: number = BATCH) => claimJobs(database, actor, { ...CLAIM, limit }, null);
  return { database, actor, release, claim };
};

/** Claims a batch and completes it, as the routes do, without HTTP. */
export const openOurs = async (deployment: Deployment, id: string): Promise<Queue> => {
  const { database, actor, claim, release } = await lease(deployment, id);
  const claimAndComplete = async (): Promise<number> => {
    const { items } = await claim();
    if (items.length > 0) await completeJobs(database, actor, items.map(completionOf));
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

const completionOf = ({ job: { jobId }, lease: { leaseId } }: Claimed['items'][number]): Completion => ({
  jobId,
  leaseId,
  error: null,
  taskResults: [],
  artifacts: [],
  usage: null,
  logTail: null,
});
