import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { send } from '../support/send.ts';
import { ServerProcess } from './server-process.ts';
import { interleave, median, timed } from './statistics.ts';
import type { Line } from './table.ts';

const FEW = 1000;
const MANY = 1_000_000;
const SERVERS = 100;
const SERVED = 'org-0000007';
const ROUNDS = 15;
const COMMAND_ROUNDS = 2;
/** Figures of many organizations that do not grow with them stay within this of those of few. */
const FLAT = 3;

const MAD = fileURLToPath(new URL('../../dist/infrastructure/bin/mad.cjs', import.meta.url));
/** Has a program say, when it ends, how much memory it had at most. */
const TELL_MEMORY = `data:text/javascript,process.on('exit',()=>process._rawDebug('peak',process.resourceUsage().maxRSS))`;

/**
 * Rows alone: the databases that they tell of do not exist, and are on servers that no process knows.
 *
 * @param fleets users of a fleet of workers that serves all organizations, and of one that serves a single one
 */
const fill = async (
  deployment: Deployment,
  organizations: number,
  [ofAll, ofOne]: readonly [string, string],
): Promise<void> => {
  // As a replica: triggers and foreign keys, checked row by row, would take most of an hour.
  await deployment.metadata(
    `do $fill$ begin
       set local session_replication_role = replica;
       insert into results_servers (server_id) select 's' || n from generate_series(1, ${SERVERS}) n;
       insert into organizations (org_id, name)
         select 'org-' || lpad(n::text, 7, '0'), 'Laboratory ' || n from generate_series(1, ${organizations}) n;
       insert into organization_databases
         (org_id, server_id, database_name, state, stamp, schema_version, created_at, updated_at)
         select org_id, 's' || 1 + abs(hashtext(org_id)) % ${SERVERS}, 'mad_results_' || org_id, 'ready',
           gen_random_uuid(), 3, now() - interval '1 day', now() - interval '1 day'
         from organizations;
       update results_servers s set databases = d.count
         from (select server_id, count(*) from organization_databases group by server_id) d
         where d.server_id = s.server_id;
       insert into memberships (user_id, org_id, roles) select '${ofAll}', org_id, '{worker}' from organizations;
       insert into memberships (user_id, org_id, roles) values ('${ofOne}', '${SERVED}', '{worker}');
       insert into work_hints (org_id, engine, version, waiting, oldest_at, next_due_at, served)
         select org_id, 'vina', 1, 10, now(), now(), random() from organizations;
     end $fill$`,
  );
  await deployment.metadata('vacuum analyze');
};

/** A deployment with so many organizations, and the service on it. */
const startContender = async (serverUrl: string, organizations: number) => {
  const deployment = await createDeployment({}, { url: serverUrl });
  const { serviceAccounts } = deployment.start().get(TOKENS.metadataDatabase);
  const insertFleet = async (name: string): Promise<string> =>
    (await serviceAccounts.insert(null, { name, roles: ['worker'] })).accountId;
  const fleets = [await insertFleet('all'), await insertFleet('one')] as const;
  await fill(deployment, organizations, fleets);
  const operator = deployment.token(null, ['platform_admin']);
  let started: ServerProcess | undefined;
  const start = async (): Promise<number> => {
    await started?.close();
    return timed(async () => {
      started = await ServerProcess.start({ kind: 'service', environment: deployment.environment });
    });
  };
  await start();
  const agent = new Agent({ keepAlive: true });
  const ask = (path: string, token = operator) =>
    timed(async () => {
      const { status, text: body } = await send(started?.url ?? '', 'GET', path, { token }, agent);
      if (status !== 200) throw new Error(`${path}: ${status} ${body}`);
    });
  let newcomers = 0;
  return {
    deployment,
    start,
    ask,
    work: async (fleet: 0 | 1) => {
      await deployment.metadata('update work_hints set next_due_at = now() where next_due_at > now()');
      return ask('/work?engines=vina&limit=20', deployment.token(null, [], { sub: fleets[fleet] }));
    },
    place: async () => {
      newcomers += 1;
      const id = `newcomer-${newcomers}`;
      await deployment.register(id);
      return ask('/jobs', deployment.token(id, ['member']));
    },
    /** Milliseconds, and MB at most. */
    run: async (...command: readonly string[]) => {
      const child = spawn(process.execPath, [`--import=${TELL_MEMORY}`, MAD, ...command], {
        env: { ...process.env, ...deployment.environment },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const ended = once(child, 'exit');
      const startedAt = performance.now();
      const said = await text(child.stderr);
      const [code] = await ended;
      const peak = /^peak (\d+)$/m.exec(said)?.[1];
      // 3: the rows tell of servers that the configuration does not name.
      if ((code !== 0 && code !== 3) || peak === undefined)
        throw new Error(`${command.join(' ')}: ${code} ${said}`);
      return { ms: performance.now() - startedAt, mb: Number(peak) / 1024 };
    },
    close: async () => {
      agent.destroy();
      await started?.close();
      await deployment.dispose();
    },
  };
};

type Contender = Awaited<ReturnType<typeof startContender>>;

/**
 * What a deployment of a million organizations costs beside one of a thousand: rows in the metadata alone. What is asked
 * for all day is flat. What reads all of them once takes longer, and no more memory.
 */
export const million = async (serverUrl: string): Promise<readonly Line[]> => {
  const few = await startContender(serverUrl, FEW);
  const many = await startContender(serverUrl, MANY);
  try {
    const lines: Line[] = [];
    const flat = async (measure: string, of: (contender: Contender) => Promise<number>, rounds = ROUNDS) => {
      const { ours, floor } = await interleave(rounds, { ours: () => of(many), floor: () => of(few) });
      lines.push({
        measure: `${measure}, ${MANY} organizations / ${FEW}`,
        ours: median(ours),
        floor: median(floor),
        unit: 'ms',
        limit: { kind: 'at most', ratio: FLAT },
      });
    };
    for (const [measure, path] of [
      ['first page', '/organizations?limit=50'],
      ['page in the middle', '/organizations?limit=50&q=org-00005'],
      ['newest first', '/organizations?limit=50&sort=newest'],
      ['search by name', '/organizations?limit=50&q=Laboratory%2099'],
      ['search in vain', '/organizations?limit=50&q=zzz'],
      ['databases that failed', '/admin/databases?state=failed'],
    ] as const)
      await flat(measure, ({ ask }) => ask(path));
    await flat('first request of a new organization', ({ place }) => place());
    await flat('GET /work of a fleet of all', ({ work }) => work(0));
    await flat('GET /work of a fleet of one', ({ work }) => work(1));
    await flat('start', ({ start }) => start(), COMMAND_ROUNDS);
    lines.push(...(await commands(few, many)));
    return lines;
  } finally {
    await few.close();
    await many.close();
  }
};

/** What reads all organizations: its time grows with them, its memory does not. */
const commands = async (few: Contender, many: Contender): Promise<readonly Line[]> => {
  const lines: Line[] = [];
  const compare = async (measure: string, ...command: readonly string[]): Promise<void> => {
    const [ours, floor] = [await many.run(...command), await few.run(...command)];
    const named = `${measure}, ${MANY} organizations / ${FEW}`;
    lines.push(
      {
        measure: named,
        ours: ours.ms,
        floor: floor.ms,
        unit: 'ms',
        limit: { kind: 'at most', ratio: MANY / FEW },
      },
      { measure: named, ours: ours.mb, floor: floor.mb, unit: 'MB', limit: { kind: 'at most', ratio: FLAT } },
    );
  };
  await compare('migrate plan, all up to date', 'migrate', 'plan');
  await compare('databases list --json', 'databases', 'list', '--json');
  for (const { deployment } of [few, many])
    await deployment.metadata(
      `do $$ begin
         set local session_replication_role = replica;
         update organization_databases set schema_version = 2;
       end $$`,
    );
  await compare('migrate plan, all behind', 'migrate', 'plan');
  // As if all had been put aside: the server then holds none, and none is missing.
  for (const { deployment } of [few, many]) {
    await deployment.metadata(
      `do $$ begin
         set local session_replication_role = replica;
         update organization_databases set server_id = 'default', state = 'provisioning', stamp = null,
           schema_version = null where org_id like 'org-%';
       end $$`,
    );
    await deployment.metadata('vacuum analyze organization_databases');
  }
  await compare('databases reconcile, all on one server', 'databases', 'reconcile', '--dry-run');
  return lines;
};
