import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { LoadClient, type LoadRequest } from './load.ts';
import { prepare, SERVICE, toPost, WARM_UP } from './request-path.ts';
import { timed } from './statistics.ts';
import { print, type Line } from './table.ts';

const ORGANIZATIONS = 50;
const CONCURRENCY = 16;
const REQUESTS = 10_000;
const MAD = fileURLToPath(new URL('../../dist/infrastructure/bin/mad.cjs', import.meta.url));
const LISTENING = /"event":"service\.listening","url":"([^"]+)"/;

/** The service in a process of its own, without a loader: its memory is that of production. */
const startService = async (environment: Readonly<Record<string, string>>) => {
  const child = spawn(process.execPath, [MAD, 'start'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let url: string | undefined;
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    url = LISTENING.exec(line)?.[1];
    if (url !== undefined) break;
  }
  if (url === undefined) throw new Error('the service ended before it listened');
  // The loop above has closed its reader: what follows is thrown away.
  child.stdout.resume();
  return {
    url,
    close: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
};

type Metric = 'process_cpu_seconds_total' | 'process_resident_memory_bytes';

/** @throws {Error} where the service exports no such metric */
const read = async (url: string, metric: Metric): Promise<number> => {
  const text = await (await fetch(new URL('/metrics', url))).text();
  const value = new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`no ${metric}`);
  return Number(value);
};

/** Open at this moment, apart from those of requests to results databases, which the budget limits. */
const connectionsBesideBudget = async (deployment: Deployment) => {
  const [row] = await deployment.administer<{ metadata: number; server: number }>(
    `select count(*) filter (where datname = $1)::int as metadata,
       count(*) filter (where datname <> $1 and application_name not like '%mad results %')::int as server
     from pg_stat_activity where application_name like 'mad %'`,
    [deployment.metadataDatabase],
  );
  return row ?? { metadata: 0, server: 0 };
};

const meanDatabaseBytes = async (deployment: Deployment): Promise<number> => {
  const [row] = await deployment.administer<{ bytes: number }>(
    'select avg(pg_database_size(datname))::float8 as bytes from pg_database where starts_with(datname, $1)',
    [deployment.databaseName('org-')],
  );
  return row?.bytes ?? Number.NaN;
};

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** The table of `docs/sizing.md`, as this machine has it. Nothing of it is held to a limit. */
export const sizing = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment({}, { url: serverUrl });
  const client = new LoadClient();
  const gets = await prepare(deployment, ORGANIZATIONS);
  const diskBytes = await meanDatabaseBytes(deployment);
  const newcomers = Array.from({ length: ORGANIZATIONS }, (_, index) => `new-${index}`);
  await deployment.register(...newcomers);
  // Connections of this process are none of the service's.
  await deployment.stop();
  const settings = { ...SERVICE, PORT: '0', DB_SPARES_MIN: '0', DB_SPARES_MAX: '0' };
  const service = await startService({ ...deployment.environment, ...settings });
  const { url } = service;
  const load = (requests: readonly LoadRequest[], total: number) =>
    client.run({ url, requests, mode: { kind: 'closed', concurrency: CONCURRENCY, total } });
  /** Answered by one core that does nothing else. */
  const perCore = async (requests: readonly LoadRequest[]): Promise<number> => {
    await load(requests, WARM_UP);
    const before = await read(url, 'process_cpu_seconds_total');
    await load(requests, REQUESTS);
    return REQUESTS / ((await read(url, 'process_cpu_seconds_total')) - before);
  };
  try {
    const restingBytes = await read(url, 'process_resident_memory_bytes');
    const getsPerCore = await perCore(gets);
    const postsPerCore = await perCore(gets.map(toPost));
    const workingBytes = await read(url, 'process_resident_memory_bytes');
    const { metadata, server } = await connectionsBesideBudget(deployment);
    const first = newcomers.map((id): LoadRequest => {
      const token = deployment.token(id, ['member']);
      return { method: 'GET', path: `/organizations/${id}/jobs`, token };
    });
    const newcomersMs = await timed(() => load(first, first.length));
    for (const [what, value] of [
      ['connections of a process to the metadata database', metadata],
      ['connections of a process to a results server, beside the budget', server],
      ['memory of a process that rests', megabytes(restingBytes)],
      [`memory of a process with ${ORGANIZATIONS} organizations at work`, megabytes(workingBytes)],
      ["disk of an organization's database with one job", megabytes(diskBytes)],
      ['GETs of a job, a second and core', Math.round(getsPerCore)],
      ['POSTs of a job, a second and core', Math.round(postsPerCore)],
      ['new organizations a second, no spares', (newcomers.length / (newcomersMs / 1000)).toFixed(1)],
    ] as const)
      print(`| ${what} | ${value} |`);
    return [];
  } finally {
    client.close();
    await service.close();
    await deployment.dispose();
  }
};
