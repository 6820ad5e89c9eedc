import { Client } from 'pg';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { DatabaseConnectionManager } from '../../infrastructure/routing/database-connection-manager.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { replaceManager } from '../support/custom-manager.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Random } from '../support/random.ts';
import { ALL_JOBS } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';
import { LoadClient } from './load.ts';
import { prepare, toPost } from './request-path.ts';
import { ServerProcess } from './server-process.ts';
import { interleave, median, percentile, timed } from './statistics.ts';
import { print, type Line } from './table.ts';

const ORGANIZATIONS = 1000;
const BUDGET = 80;
/** Requests under way at any time; as many as the budget has connections, so that none is idle for want of work. */
const AT_ONCE = 80;
const REQUESTS = 2000;
const ROUNDS = 3;

const FLOOD = 100;
const LIGHT_PER_SECOND = 50;
const LOOK_MS = 4000;

const VISITED = 5000;

/** Runs `count` works, `AT_ONCE` at a time. */
const inParallel = async (count: number, work: (index: number) => Promise<unknown>): Promise<void> => {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
};

const read = async (manager: DatabaseConnectionManager, id: string): Promise<void> => {
  const { database, release } = await manager.acquire(organizationId(id));
  await database.jobs.list(...ALL_JOBS).finally(release);
};

/** Thousands of organizations at random through few connections: nearly every request moves one. */
export const budget = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment({ DB_CONNECTION_BUDGET: String(BUDGET) }, { url: serverUrl });
  try {
    await prepare(deployment, ORGANIZATIONS);
    const manager = deployment.start({ DB_ACQUIRE_TIMEOUT_MS: '30000' }).get(TOKENS.connectionManager);
    const random = new Random(1);
    const ids = Array.from({ length: REQUESTS }, () => `org-${random.below(ORGANIZATIONS)}`);
    const server = DatabaseUrl.parse(serverUrl);
    const { ours, connects } = await interleave(ROUNDS, {
      ours: () => timed(() => inParallel(REQUESTS, (index) => read(manager, ids[index] ?? ''))),
      connects: () =>
        timed(() => inParallel(REQUESTS, (index) => connectOnly(server, deployment, ids[index]))),
    });
    return [
      {
        measure: `time of ${REQUESTS} reads, ${ORGANIZATIONS} organizations at random on ${BUDGET} connections, over connect + select + end`,
        ours: median(ours),
        floor: median(connects),
        unit: 'ms',
        limit: { kind: 'at most', ratio: 1.25 },
      },
    ];
  } finally {
    await deployment.stop();
  }
};

/** What the service asks for at login. */
const SERVICE_SESSION = {
  application_name: 'floor',
  keepAlive: true,
  connectionTimeoutMillis: 3000,
  statement_timeout: 30_000,
  lock_timeout: 10_000,
  idle_in_transaction_session_timeout: 10_000,
};

const connectOnly = async (server: DatabaseUrl, deployment: Deployment, id = ''): Promise<void> => {
  const client = new Client({
    ...server.withDatabase(deployment.databaseName(id)).toClientConfigs()[0],
    ...SERVICE_SESSION,
  });
  await client.connect();
  await client.query('select job_id from docking_jobs limit 1');
  await client.end();
};

/** What one organization's flood does to another one's requests. */
export const fairness = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment({}, { url: serverUrl });
  const [light, heavy] = await prepare(deployment, 2);
  const [reader, flooder] = [new LoadClient(), new LoadClient()];
  const environment = { ...deployment.environment, NODE_ENV: 'production', LOG_LEVEL: 'info' };
  const service = await ServerProcess.start({ kind: 'service', environment });
  const bare = await Promise.all(
    [0, 1].map((index) =>
      ServerProcess.start({
        kind: 'raw',
        environment: {
          RAW_DATABASE_URL: new URL(`/${deployment.databaseName(`org-${index}`)}`, serverUrl).href,
        },
      }),
    ),
  );
  const [bareLight, bareHeavy] = bare;
  if (light === undefined || heavy === undefined || bareLight === undefined || bareHeavy === undefined)
    throw new Error('nothing was prepared');
  try {
    const p99 = async ({ url }: ServerProcess): Promise<number> => {
      const mode = { kind: 'paced', perSecond: LIGHT_PER_SECOND } as const;
      const reading = reader.start({ url, requests: [light], mode });
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      reading.stop();
      return percentile(await reading.done, 0.99);
    };
    const p99Beside = async (own: ServerProcess, { url }: ServerProcess): Promise<number> => {
      let stopped = false;
      const flood = (async () => {
        while (!stopped) {
          const mode = { kind: 'closed', concurrency: FLOOD, total: FLOOD * 10 } as const;
          await flooder.run({ url, requests: [toPost(heavy)], mode });
        }
      })();
      const value = await p99(own);
      stopped = true;
      await flood;
      return value;
    };
    const { quiet, flooded, bareQuiet, bareFlooded } = await interleave(ROUNDS, {
      quiet: () => p99(service),
      flooded: () => p99Beside(service, service),
      bareQuiet: () => p99(bareLight),
      bareFlooded: () => p99Beside(bareLight, bareHeavy),
    });
    print(
      `  two bare servers, which share nothing but the machine: ${(median(bareFlooded) / median(bareQuiet)).toFixed(2)} ×`,
    );
    return [
      {
        measure: `p99 of an organization's reads while another floods with ${FLOOD} requests at a time, over quiet`,
        ours: median(flooded),
        floor: median(quiet),
        unit: 'ms',
        limit: { kind: 'at most', ratio: 1.5 },
      },
    ];
  } finally {
    reader.close();
    flooder.close();
    await Promise.all([service, ...bare].map((server) => server.close()));
    await deployment.stop();
  }
};

/** What stays of organizations that were visited once; all with the same database, as thousands take gigabytes. */
export const visits = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment(
    { DB_CONNECTION_BUDGET: '20', DB_MAX_POOLS: '100' },
    { url: serverUrl },
  );
  try {
    await deployment.register('all');
    const container = deployment.start();
    const placement = await container.get(TOKENS.provisioning).provision(organizationId('all'));
    const server = defaultServer(container);
    const placementOf = (id: OrganizationId): Placement => ({ ...placement, organizationId: id });
    const manager = replaceManager(
      container,
      {},
      {
        provisioning: {
          find: async (id) => ({ placement: placementOf(id) }),
          provision: async (id) => placementOf(id),
          confirm: async (id) => placementOf(id),
        },
        connect: (_placement, policy) => server.connect(placement, policy),
      },
    );
    const heapAfter = async (from: number, to: number): Promise<number> => {
      for (let index = from; index < to; index += 1) await read(manager, `org-${index}`);
      globalThis.gc?.();
      return process.memoryUsage().heapUsed / 2 ** 20;
    };
    const early = await heapAfter(0, 500);
    const late = await heapAfter(500, 500 + VISITED);
    const { pools, connections } = manager.counts();
    print(`  after ${VISITED} organizations: ${pools} pools, ${connections} connections`);
    return [
      {
        measure: `heap after ${VISITED} more organizations were visited once, over that after the first 500`,
        ours: late,
        floor: early,
        unit: 'MB',
        limit: { kind: 'at most', ratio: 1.1 },
      },
    ];
  } finally {
    await deployment.stop();
  }
};
