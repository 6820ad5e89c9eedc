import { Agent } from 'node:http';
import type { Deployment } from '../../support/deployment.ts';
import { send } from '../../support/send.ts';
import { ServerProcess } from '../server-process.ts';
import { timed } from '../statistics.ts';
import { fill } from './ours.ts';
import { BATCH, CLIENTS, untilEmpty, type Queue } from './peers.ts';

interface ClaimReply {
  readonly items: readonly { readonly job: { job_id: string }; readonly lease: { lease_id: string } }[];
}

/** Claims a batch and completes it over HTTP, by a service in a process of its own. */
export const openHttp = async (deployment: Deployment, id: string): Promise<Queue> => {
  const environment = {
    ...deployment.environment,
    ...{ NODE_ENV: 'production', LOG_LEVEL: 'info' },
    ...{ DB_ORG_POOL_SIZE: String(CLIENTS), DB_ORG_MAX_OVERFLOW: '0' },
  };
  const service = await ServerProcess.start({ kind: 'service', environment });
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const token = deployment.token(id, ['worker']);
  const ask = async <Body>(path: string, body: object): Promise<Body> => {
    const reply = await send<Body>(service.url, 'POST', path, { token, body }, agent);
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
    return reply.body;
  };
  const claimAndComplete = async (): Promise<number> => {
    const claim = { worker: { name: 'worker' }, engines: ['vina'], limit: BATCH };
    const { items } = await ask<ClaimReply>('/jobs/claim', claim);
    const completions = items.map(({ job: { job_id }, lease: { lease_id } }) => ({
      ...{ job_id, lease_id },
      outcome: 'COMPLETED',
    }));
    if (items.length > 0) await ask('/jobs/complete', { items: completions });
    return items.length;
  };
  // The first request makes the organization's database.
  await claimAndComplete();
  return {
    workOff: async (count) => {
      await fill(deployment, id, count);
      return timed(async () => {
        const done = await untilEmpty(claimAndComplete);
        if (done !== count) throw new Error(`claims gave ${done} jobs of ${count}`);
      });
    },
    close: async () => {
      agent.destroy();
      await service.close();
    },
  };
};
