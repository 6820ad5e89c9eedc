import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { isInstalled, startNginx } from '../support/programs.ts';
import { RollingProcess } from '../support/rolling-process.ts';
import { serverProcesses } from '../support/server-processes.ts';
import { LoadClient, type LoadRequest } from './load.ts';
import { prepare, toPost } from './request-path.ts';
import { ServerProcess } from './server-process.ts';
import { interleave, median, percentile } from './statistics.ts';
import { print, type Line } from './table.ts';

const ORGANIZATIONS = 50;
/** A connection for each organization in each of the three processes, with room for all to have the same share. */
const BUDGET = 240;
const ROUNDS = 5;
const REQUESTS = 2000;
const WARM_UP = 12_000;
const CONCURRENCY = 16;
const PER_SECOND = 200;
const QUIET_MS = 10_000;
/** Of Linux: the unit in which it counts the CPU of processes. */
const TICKS_PER_SECOND = 100;
const PRODUCTION = { NODE_ENV: 'production', LOG_LEVEL: 'info' };
const BUILT = fileURLToPath(new URL('../../dist/infrastructure/bin/http.js', import.meta.url));

/** What two processes serve over what one does, and what a restart of both, one after the other, costs their clients. */
export const fleetOfProcesses = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment({ DB_CONNECTION_BUDGET: String(BUDGET) }, { url: serverUrl });
  try {
    const requests = await prepare(deployment, ORGANIZATIONS);
    const line = await twoOverOne(deployment, requests);
    await rollingRestart(deployment, requests);
    return [line];
  } finally {
    await deployment.stop();
  }
};

interface Share {
  readonly server: ServerProcess;
  readonly client: LoadClient;
  readonly requests: readonly LoadRequest[];
}

/**
 * The clients and PostgreSQL work on the same cores, so that requests by the clock say how many cores there are. Counted is
 * the CPU that a request costs in its process: what a core for each process would serve is the sum of its reciprocals.
 */
const twoOverOne = async (deployment: Deployment, requests: readonly LoadRequest[]): Promise<Line> => {
  const environment = { ...deployment.environment, ...PRODUCTION };
  const all: Share[] = [];
  try {
    for (let count = 0; count < 3; count += 1) {
      const server = await ServerProcess.start({ kind: 'service', environment });
      all.push({ server, client: new LoadClient(), requests });
    }
    const [alone, ...pair] = all;
    if (alone === undefined) throw new Error('no process');
    const server = await postgresOf(deployment);
    const seen = { one: new Usage(), two: new Usage() };
    const measure = async (fleet: readonly Share[], usage: Usage): Promise<number> => {
      const [cpuBefore, from] = [await server.cpuSeconds(), performance.now()];
      const costs = await Promise.all(fleet.map((share) => costOf(share, REQUESTS / fleet.length)));
      usage.note((performance.now() - from) / 1000, (await server.cpuSeconds()) - cpuBefore);
      return 1 / costs.reduce((sum, cost) => sum + 1 / cost, 0);
    };
    for (const share of all) await costOf(share, WARM_UP);
    const { one, two } = await interleave(ROUNDS, {
      one: () => measure([alone], seen.one),
      two: () => measure(pair, seen.two),
    });
    print(
      `  by the clock, clients and PostgreSQL on the same cores: one process ${seen.one.told}, two ${seen.two.told}`,
    );
    return {
      measure: 'time between GETs of two processes with a core each, by their CPU, over that of one',
      ours: median(two),
      floor: median(one),
      unit: 'µs',
      limit: { kind: 'at least', ratio: 1.6 },
    };
  } finally {
    for (const { server, client } of all) {
      client.close();
      await server.close();
    }
  }
};

/** What the rounds took altogether. */
class Usage {
  #rounds = 0;
  #seconds = 0;
  #serverSeconds = 0;

  note(seconds: number, serverSeconds: number): void {
    this.#rounds += 1;
    this.#seconds += seconds;
    this.#serverSeconds += serverSeconds;
  }

  get told(): string {
    const requests = this.#rounds * REQUESTS;
    const perRequest = (this.#serverSeconds * 1e6) / requests;
    return `${Math.round(requests / this.#seconds)}/s with ${perRequest.toFixed(0)} µs of PostgreSQL each`;
  }
}

const costOf = async ({ server, client, requests }: Share, total: number): Promise<number> => {
  const mode = { kind: 'closed', concurrency: CONCURRENCY, total } as const;
  return (await server.cpuOf(() => client.run({ url: server.url, requests, mode }))) / total;
};

const postgresOf = async (deployment: Deployment): Promise<{ cpuSeconds(): Promise<number> }> => {
  const [row] = await deployment.administer<{ folder: string }>(
    `select current_setting('data_directory') as folder`,
  );
  const pidFile = join(row?.folder ?? '', 'postmaster.pid');
  return {
    cpuSeconds: async () => {
      const ticks = await Promise.all((await serverProcesses(pidFile)).map(ticksOf));
      return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
    },
  };
};

/** Of a process and of its children that have ended. */
const ticksOf = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
};

/** A request that fails ends the benchmark. */
const rollingRestart = async (deployment: Deployment, requests: readonly LoadRequest[]): Promise<void> => {
  if (!isInstalled('nginx')) return print('  nginx is not installed: no rolling restart');
  const environment = {
    ...deployment.environment,
    ...PRODUCTION,
    TRUSTED_PROXIES: '1',
    SHUTDOWN_DELAY_MS: '3000',
  };
  const fleet = [
    await RollingProcess.start(environment, [BUILT]),
    await RollingProcess.start(environment, [BUILT]),
  ] as const;
  const nginx = await startNginx([fleet[0].url, fleet[1].url]);
  const client = new LoadClient();
  try {
    const mixed = requests.flatMap((get) => [get, { ...toPost(get), keyed: true }]);
    const url = `http://127.0.0.1:${nginx.port}`;
    const during = async (work: () => Promise<unknown>): Promise<readonly number[]> => {
      const load = client.start({ url, requests: mixed, mode: { kind: 'paced', perSecond: PER_SECOND } });
      await work().finally(() => load.stop());
      return load.done;
    };
    await during(() => sleep(QUIET_MS));
    const quiet = await during(() => sleep(QUIET_MS));
    const restarts = await during(async () => {
      for (const one of fleet) await one.restart();
    });
    const p99 = (times: readonly number[]): string => `${percentile(times, 0.99).toFixed(0)} ms`;
    print(
      `  a steady ${PER_SECOND}/s through nginx while both restart: 0 of ${restarts.length} failed, p99 ${p99(restarts)}; quiet ${p99(quiet)}`,
    );
  } finally {
    client.close();
    await nginx.stop();
    for (const one of fleet) await one.dispose();
  }
};
