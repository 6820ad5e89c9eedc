import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { sampleJob } from '../support/sample-job.ts';
import { LoadClient, type LoadRequest } from './load.ts';
import { ServerProcess } from './server-process.ts';
import { interleave, median } from './statistics.ts';
import { print, type Line } from './table.ts';

const CONCURRENCY = 16;
/** Many short ones: what a busy machine does to some of them, the median does not see. */
const ROUNDS = 20;
const REQUESTS = 2000;
const NAIVE_ROUNDS = 3;
/**
 * Before anything is counted: by then the compiler has made of all servers what it makes of them. On two processors a GET
 * of the service cost 490, 149, 108, 88 µs in its first four batches of 2000 requests, and 82 only after some 24 000 requests;
 * the raw server, which has less code, has its last form after 6000.
 */
export const WARM_UP = 24_000;
const ORGANIZATIONS = 50;
const FEW = 10;
const MANY = 1000;

/** In production with its log; no spares, for nothing is to be built meanwhile. */
export const SERVICE = { NODE_ENV: 'production', LOG_LEVEL: 'info' };

const BODY = JSON.stringify({
  engine: 'vina',
  pipeline_version: '1.0.0',
  inputs: { ligand: 'imatinib', receptor: '1IEP' },
  params: { exhaustiveness: 8 },
  priority: 0,
});

/** Organizations with a job each, and the requests for these jobs. */
export const prepare = async (deployment: Deployment, count: number): Promise<readonly LoadRequest[]> => {
  const ids = Array.from({ length: count }, (_, index) => `org-${index}`);
  await deployment.register(...ids);
  const manager = deployment.start({ DB_IDLE_TIMEOUT_MS: '1000' }).get(TOKENS.connectionManager);
  const requests: LoadRequest[] = [];
  for (const id of ids) {
    const { database, release } = await manager.acquire(organizationId(id));
    try {
      const job = await database.jobs.insert(sampleJob());
      const path = `/organizations/${id}/jobs/${job?.jobId ?? ''}`;
      requests.push({ method: 'GET', path, token: deployment.token(id, ['member']) });
    } finally {
      release();
    }
  }
  await manager.closeAll();
  return requests;
};

export const toPost = ({ path, token }: LoadRequest): LoadRequest => ({
  method: 'POST',
  path: path.slice(0, path.lastIndexOf('/')),
  token,
  body: BODY,
});

/** CPU of the server a request costs, in microseconds. */
export const cpuPerRequest = async (
  server: ServerProcess,
  client: LoadClient,
  requests: readonly LoadRequest[],
  count = REQUESTS,
): Promise<number> => {
  const total = Math.max(count, requests.length);
  const mode = { kind: 'closed', concurrency: CONCURRENCY, total } as const;
  return (await server.cpuOf(() => client.run({ url: server.url, requests, mode }))) / total;
};

/** What a request costs in CPU, over the least that it could cost. */
export const requests = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment({}, { url: serverUrl });
  const gets = await prepare(deployment, ORGANIZATIONS);
  // An organization's database is this and its id.
  const urlPrefix = new URL(`/${deployment.databaseName('')}`, serverUrl).href;
  const environment = {
    ...deployment.environment,
    ...SERVICE,
    RAW_DATABASE_URL: `${urlPrefix}org-0`,
    NAIVE_URL_PREFIX: urlPrefix,
  };
  const client = new LoadClient();
  const service = await ServerProcess.start({ kind: 'service', environment });
  const raw = await ServerProcess.start({ kind: 'raw', environment });
  const spread = await ServerProcess.start({ kind: 'raw', environment: { RAW_URL_PREFIX: urlPrefix } });
  const naive = await ServerProcess.start({ kind: 'naive', environment });
  try {
    const posts = gets.map(toPost);
    const compare = async (load: readonly LoadRequest[]) => {
      const runs = {
        service: (count = REQUESTS) => cpuPerRequest(service, client, load, count),
        raw: (count = REQUESTS) => cpuPerRequest(raw, client, load.slice(0, 1), count),
      };
      for (const run of Object.values(runs)) await run(WARM_UP);
      return interleave(ROUNDS, { service: () => runs.service(), raw: () => runs.raw() });
    };
    const get = await compare(gets);
    const post = await compare(posts);
    // A connection to each database costs more than a few to one, and the service cannot do without.
    await cpuPerRequest(spread, client, gets, WARM_UP);
    const bare = await interleave(ROUNDS, {
      spread: () => cpuPerRequest(spread, client, gets),
      raw: () => cpuPerRequest(raw, client, gets.slice(0, 1)),
    });
    // Last, and less often: it takes ten times as long, and servers that rest meanwhile would have to warm up again.
    const { naiveGet, naivePost } = await interleave(NAIVE_ROUNDS, {
      naiveGet: () => cpuPerRequest(naive, client, gets),
      naivePost: () => cpuPerRequest(naive, client, posts),
    });
    const times = (ours: number[], floor: number[]): string => (median(ours) / median(floor)).toFixed(2);
    print(
      `  a bare server with a connection to each database: GET ${times(bare.spread, bare.raw)} × the raw server`,
    );
    print(
      `  a Map of Knex instances: GET ${times(naiveGet, get.raw)} ×, POST ${times(naivePost, post.raw)} × the raw server`,
    );
    return [
      {
        measure: `CPU of a GET over ${ORGANIZATIONS} organizations, over node:http + prepared pg`,
        ours: median(get.service),
        floor: median(get.raw),
        unit: 'µs',
        limit: { kind: 'at most', ratio: 1.5 },
      },
      {
        measure: `CPU of a POST over ${ORGANIZATIONS} organizations, over node:http + prepared pg`,
        ours: median(post.service),
        floor: median(post.raw),
        unit: 'µs',
        limit: { kind: 'at most', ratio: 1.75 },
      },
    ];
  } finally {
    client.close();
    await Promise.all([service, raw, spread, naive].map((server) => server.close()));
    await deployment.stop();
  }
};

/** Whether a request costs more when there are many organizations; every one has its connection already. */
export const organizations = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment({}, { url: serverUrl });
  const all = await prepare(deployment, MANY);
  const client = new LoadClient();
  const environment = {
    ...deployment.environment,
    ...SERVICE,
    DB_CONNECTION_BUDGET: String(MANY + 100),
    RAW_URL_PREFIX: new URL(`/${deployment.databaseName('')}`, serverUrl).href,
  };
  const compare = async (kind: 'service' | 'raw') => {
    const server = await ServerProcess.start({ kind, environment });
    try {
      // Rounds so short that no connection lies idle for a second, after which it would be asked whether it is alive.
      const { many, few } = await interleave(2 * ROUNDS, {
        many: () => cpuPerRequest(server, client, all, MANY),
        few: () => cpuPerRequest(server, client, all.slice(0, FEW), MANY),
      });
      return { many: median(many), few: median(few) };
    } finally {
      await server.close();
    }
  };
  try {
    const { many, few } = await compare('service');
    const bare = await compare('raw');
    print(
      `  a bare server with a connection to each of the databases: ${(bare.many / bare.few).toFixed(2)} × (${bare.many.toFixed(1)} / ${bare.few.toFixed(1)} µs)`,
    );
    return [
      {
        measure: `CPU of a GET at ${MANY} organizations, over that at ${FEW}`,
        ours: many,
        floor: few,
        unit: 'µs',
        limit: { kind: 'at most', ratio: 1.1 },
      },
    ];
  } finally {
    client.close();
    await deployment.stop();
  }
};
