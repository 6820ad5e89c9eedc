/**
 * `npm run soak -- --minutes 30`: two processes under a steady mixed load. Memory, handles and connections have to be flat;
 * exit code 1 when one of them grows.
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { LoadClient } from './load.ts';
import { prepare, toPost } from './request-path.ts';
import { ServerProcess } from './server-process.ts';
import { withServer } from './servers.ts';
import { median } from './statistics.ts';
import { print } from './table.ts';

const EVERY_MS = 5000;
/** Of the whole time. Until then caches fill, and the compiler works. */
const WARM_UP = 0.4;
const PER_SECOND = 50;
/** More organizations than connections: pools are closed and opened all the time. */
const ORGANIZATIONS = 60;
const SETTINGS = {
  NODE_ENV: 'production',
  LOG_LEVEL: 'info',
  DB_CONNECTION_BUDGET: '40',
  DB_MAX_POOLS: '40',
  DB_IDLE_TIMEOUT_MS: '2000',
};
/** Growth from the end of the warm-up to the end, by the slope, over the median. */
const MOST_GROWTH = 0.1;
/** That of a few handles is no growth. */
const LEAST = { 'memory, MB': 10, handles: 5, connections: 5 } as const;
type Measure = keyof typeof LEAST;
type Sample = Readonly<Record<Measure, number>>;

const run = async (minutes: number): Promise<boolean> => {
  let isFlat = true;
  await withServer(false, async (url) => {
    const deployment = await createDeployment(SETTINGS, { url });
    try {
      const series = await sampled(deployment, minutes * 60_000);
      for (const [name, samples] of Object.entries(series)) isFlat = report(name, samples) && isFlat;
    } finally {
      await deployment.stop();
    }
  });
  return isFlat;
};

/** Of each process, from the end of the warm-up on. */
const sampled = async (
  deployment: Deployment,
  forMs: number,
): Promise<Readonly<Record<string, readonly Sample[]>>> => {
  const gets = await prepare(deployment, ORGANIZATIONS);
  const requests = gets.flatMap((get) => [get, { ...toPost(get), keyed: true }, get]);
  const fleet = [await startOne(deployment), await startOne(deployment)];
  const ending = new AbortController();
  const mode = { kind: 'paced', perSecond: PER_SECOND } as const;
  const loads = fleet.map(({ server, client }) => client.start({ url: server.url, requests, mode }));
  const comings = fleet.map(({ server }) => comeAndGo(server.url, deployment, ending.signal));
  const series: readonly Sample[][] = fleet.map(() => []);
  const from = performance.now();
  try {
    for (let passed = 0; passed < forMs; passed = performance.now() - from) {
      await sleep(EVERY_MS);
      const samples = await Promise.all(fleet.map(({ server }) => sample(server.url, deployment)));
      if (passed >= forMs * WARM_UP) series.forEach((list, index) => list.push(samples[index] as Sample));
    }
    for (const load of loads) load.stop();
    for (const load of loads) print(`  ${(await load.done).length} requests, none failed`);
    return Object.fromEntries(series.map((samples, index) => [`process ${index + 1}`, samples]));
  } finally {
    ending.abort();
    await Promise.all(comings);
    for (const { server, client } of fleet) {
      client.close();
      await server.close();
    }
  }
};

const startOne = async (deployment: Deployment) => ({
  server: await ServerProcess.start({ kind: 'service', environment: deployment.environment }),
  client: new LoadClient(),
});

/** Streams of events whose clients leave after a second, and requests whose clients do not wait. */
const comeAndGo = async (url: string, deployment: Deployment, signal: AbortSignal): Promise<void> => {
  for (let turn = 0; !signal.aborted; turn += 1) {
    const path = turn % 2 === 0 ? 'events' : 'jobs';
    const authorization = `Bearer ${deployment.token(`org-${turn % ORGANIZATIONS}`, ['member'])}`;
    const headers = { authorization, accept: turn % 2 === 0 ? 'text/event-stream' : 'application/json' };
    const patience = AbortSignal.timeout(turn % 2 === 0 ? 1000 : 3);
    // Its client leaves: an error is what is asked for.
    await fetch(new URL(path, url), { headers, signal: patience }).then(
      (answer) => answer.text().catch(() => ''),
      () => '',
    );
  }
};

const sample = async (url: string, deployment: Deployment): Promise<Sample> => {
  const text = await (await fetch(new URL('/metrics', url))).text();
  const valueOf = (name: string): number =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  const [row] = await deployment.administer<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity where application_name like 'mad %'`,
  );
  return {
    'memory, MB': valueOf('process_resident_memory_bytes') / 2 ** 20,
    handles: valueOf('process_open_fds'),
    connections: row?.count ?? 0,
  };
};

const report = (name: string, samples: readonly Sample[]): boolean => {
  let isFlat = true;
  // The keys of that very object.
  for (const measure of Object.keys(LEAST) as Measure[]) {
    const values = samples.map((one) => one[measure]);
    const growth = slope(values) * values.length;
    const middle = median(values);
    const holds = growth <= Math.max(MOST_GROWTH * middle, LEAST[measure]);
    const range = `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;
    const perHour = (growth * 3_600_000) / (values.length * EVERY_MS);
    print(
      `  ${name}: ${measure} ${middle.toFixed(0)} (${range}), ${perHour.toFixed(1)} an hour: ${holds ? 'flat' : 'GROWS'}`,
    );
    isFlat &&= holds;
  }
  return isFlat;
};

/** The median of the slopes between all pairs (Theil and Sen): single peaks do not count. Per sample. */
const slope = (values: readonly number[]): number =>
  median(
    values.flatMap((from, index) =>
      values.slice(index + 1).map((to, distance) => (to - from) / (distance + 1)),
    ),
  );

const { values: given } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } });
const minutes = Number(given.minutes);
if (!(minutes > 0)) throw new Error('--minutes takes a number above 0');
// The service is measured as it is shipped.
execFileSync('npm', ['run', 'build'], { stdio: 'inherit' });
if (!(await run(minutes))) process.exitCode = 1;
