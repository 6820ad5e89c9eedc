import { tmpdir } from 'node:os';
import { textOf, type Logger } from '../../application/ports/runtime/logger.ts';
import type { ApiClient } from '../rest/api-client.ts';
import { AccessToken, AuthorizedApi } from '../worker/access-token.ts';
import { ENGINES, OrganizationWork } from '../worker/organization-work.ts';
import { pause } from '../worker/retry.ts';
import { toTaskResult } from '../worker/task-result.ts';
import type { VinaEngine } from '../worker/vina-engine.ts';
import { parseVinaOutput } from '../worker/vina-output.ts';
import { OrganizationSource } from '../worker/work-source.ts';
import { Worker } from '../worker/worker.ts';
import { DemoError } from './demo-error.ts';
import { RECORDED_SEARCH, type ImatinibDocking } from './imatinib-docking.ts';
import type { Narration } from './narration.ts';

/** Whom the demo has dock: AutoDock Vina where it is installed, and else nobody: then it hands in what Vina found once. */
export interface DemoWorker {
  readonly says: string;
  /** Claims and does the job; resolves when its end is delivered. @param ended resolves when the job has ended */
  work(token: string, jobId: string, ended: () => Promise<void>): Promise<void>;
}

/** The shortest: heartbeats tell how far a docking is, and this one takes seconds. */
const DEMO_LEASE_SECONDS = 30;
const IDENTITY = { name: 'demo', version: '1', engines: ENGINES, leaseSeconds: DEMO_LEASE_SECONDS };

/** Runs the worker of `npm run worker`, for one job. */
export const liveWorker = (api: ApiClient, engine: VinaEngine, say: Narration): DemoWorker => ({
  says: `A worker docks, with ${engine.version} on this machine`,
  work: async (token, _jobId, ended) => {
    const worker = new Worker({
      source: new OrganizationSource(api, tokenOf(token), IDENTITY),
      engine,
      slots: 1,
      leaseSeconds: DEMO_LEASE_SECONDS,
      temporaryFolder: tmpdir(),
      log: troubleOnly(say),
      wait: pause,
    });
    const stopped = worker.run();
    try {
      await ended();
    } finally {
      worker.stop();
      await stopped;
    }
  },
});

/** Claims the job as a worker does, and completes it with the poses that are recorded. */
export const replayingWorker = (api: ApiClient, docking: ImatinibDocking): DemoWorker => ({
  says: `AutoDock Vina is not on this machine: the worker hands in what it found once, with exhaustiveness ${RECORDED_SEARCH.exhaustiveness}`,
  work: async (token, jobId) => {
    const work = new OrganizationWork(new AuthorizedApi(api, tokenOf(token)), IDENTITY);
    const { signal } = new AbortController();
    const { items } = await work.claim(MAX_CLAIM);
    for (const { job, lease } of items)
      if (job.job_id !== jobId) await work.release(job.job_id, lease.lease_id, { reason: 'shutdown' });
    const lease = items.find(({ job }) => job.job_id === jobId)?.lease;
    if (lease === undefined) throw new DemoError(`job ${jobId} was not there to be claimed`);
    const { ligand, recordedPoses } = docking;
    const [text, ligandText] = [recordedPoses.bytes, ligand.bytes].map((bytes) =>
      Buffer.from(bytes).toString(),
    );
    const { file } = await work.upload(recordedPoses, signal);
    const { name, mediaType } = recordedPoses;
    const result = toTaskResult(parseVinaOutput(text ?? ''), {
      version: 'recorded',
      scoring: 'vina',
      seed: null,
      ligand: ligandText ?? '',
    });
    await work.complete(
      jobId,
      lease.lease_id,
      {
        outcome: 'COMPLETED',
        task_results: [result],
        artifacts: [{ name, purpose: 'poses', file, content_type: mediaType }],
        usage: { wall_seconds: 0 },
      },
      signal,
    );
  },
});

const MAX_CLAIM = 50;

const tokenOf = (text: string): AccessToken =>
  new AccessToken(() => Promise.resolve({ access_token: text, expires_in: null }));

const troubleOnly = (say: Narration): Logger => ({
  write: (event, fields, { level, message } = textOf(event)) => {
    if (level === 'warn' || level === 'error') say.line(`${message}: ${JSON.stringify(fields)}`);
  },
});
