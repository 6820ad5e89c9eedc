import { createDeployment, type Deployment } from '../support/deployment.ts';
import { SecondServer } from '../support/second-server.ts';
import { send } from '../support/send.ts';
import { LoadClient, type LoadRequest } from './load.ts';
import { cpuPerRequest, prepare } from './request-path.ts';
import { ServerProcess } from './server-process.ts';
import { withServer } from './servers.ts';
import { interleave, median } from './statistics.ts';
import { print, type Line } from './table.ts';

const ORGANIZATIONS = 200;
/** A connection for each organization, whichever server it is on. */
const BUDGET = 240;
const ROUNDS = 20;
const WARM_UP = 8000;
const NEWCOMERS = 20;
const PRODUCTION = { NODE_ENV: 'production', LOG_LEVEL: 'info' };

/** What organizations on two servers cost, and what one of two servers that is away costs newcomers. */
export const servers = async (serverUrl: string): Promise<readonly Line[]> => {
  const lines: Line[] = [];
  await withServer(false, async (other) => void lines.push(await cpuOverTwo(serverUrl, other)));
  lines.push(await newcomersWhileOneIsAway(serverUrl));
  return lines;
};

const cpuOverTwo = async (serverUrl: string, otherUrl: string): Promise<Line> => {
  const one = await startOver(serverUrl, {}, BUDGET);
  const two = await startOver(serverUrl, { other: otherUrl }, BUDGET / 2);
  const client = new LoadClient();
  try {
    for (const { process, requests } of [one, two]) await cpuPerRequest(process, client, requests, WARM_UP);
    const measured = await interleave(ROUNDS, {
      two: () => cpuPerRequest(two.process, client, two.requests),
      one: () => cpuPerRequest(one.process, client, one.requests),
    });
    return {
      measure: `CPU of a GET over ${ORGANIZATIONS} organizations on two servers, over that on one`,
      ours: median(measured.two),
      floor: median(measured.one),
      unit: 'µs',
      limit: { kind: 'at most', ratio: 1.03 },
    };
  } finally {
    client.close();
    for (const { process, deployment } of [one, two]) {
      await process.close();
      await deployment.stop();
    }
  }
};

interface Contender {
  readonly deployment: Deployment;
  readonly process: ServerProcess;
  readonly requests: readonly LoadRequest[];
}

const startOver = async (
  url: string,
  others: Readonly<Record<string, string>>,
  budget: number,
): Promise<Contender> => {
  const settings = { DB_CONNECTION_BUDGET: String(budget) };
  const deployment = await createDeployment(settings, { url, servers: others });
  await registerServers(deployment, ['default', ...Object.keys(others)]);
  await deployment.register(...Array.from({ length: ORGANIZATIONS }, (_, index) => `org-${index}`));
  await deployment.metadata(
    `update organizations set pinned_server_id = s.server_id
     from (select server_id, row_number() over (order by server_id) - 1 as place, count(*) over () as of from results_servers) s
     where substr(org_id, 5)::int % s.of = s.place`,
  );
  const requests = await prepare(deployment, ORGANIZATIONS);
  const environment = { ...deployment.environment, ...PRODUCTION };
  return { deployment, requests, process: await ServerProcess.start({ kind: 'service', environment }) };
};

const registerServers = (deployment: Deployment, names: readonly string[]): Promise<unknown> =>
  deployment.metadata(
    'insert into results_servers (server_id) select unnest($1::text[]) on conflict do nothing',
    names,
  );

const newcomersWhileOneIsAway = async (url: string): Promise<Line> => {
  const other = await SecondServer.start();
  const deployment = await createDeployment(PRODUCTION, { url, servers: { other: other.url } });
  const process = await ServerProcess.start({ kind: 'service', environment: deployment.environment });
  const firstRequest = async (id: string): Promise<number> => {
    const from = performance.now();
    const token = deployment.token(id, ['member']);
    const { status, text } = await send(process.url, 'GET', '/jobs', { token });
    // One that was caught on the server that went away is refused, and may come again.
    if (status !== 200 && status !== 503) throw new Error(`${status} ${text}`);
    return performance.now() - from;
  };
  const register = async (kind: string, server: string | null): Promise<readonly string[]> => {
    const ids = Array.from({ length: NEWCOMERS }, (_, index) => `${kind}-${index}`);
    await deployment.register(...ids);
    await deployment.metadata(
      'update organizations set pinned_server_id = $1 where org_id = any($2)',
      server,
      ids,
    );
    return ids;
  };
  const oneByOne = async (ids: readonly string[]): Promise<readonly number[]> => {
    const times: number[] = [];
    for (const id of ids) times.push(await firstRequest(id));
    return times;
  };
  try {
    await oneByOne(await register('warm', null));
    const quiet = await oneByOne(await register('quiet', 'default'));
    for (const fault of ['hung', 'stopped'] as const) {
      const caught = await register(`caught-${fault}`, null);
      await (fault === 'hung' ? other.hang() : other.kill());
      const longest = Math.max(...(await Promise.all(caught.map(firstRequest))));
      print(`  ${NEWCOMERS} newcomers as a server is ${fault}: the longest waits ${longest.toFixed(0)} ms`);
      if (fault === 'hung') await other.recover();
    }
    const away = await oneByOne(await register('away', null));
    return {
      measure: 'first request of an organization while one of two servers is stopped, over quiet',
      ours: median(away),
      floor: median(quiet),
      unit: 'ms',
      limit: { kind: 'at most', ratio: 1.5 },
    };
  } finally {
    await process.close();
    await deployment.stop();
    await other.remove();
  }
};
