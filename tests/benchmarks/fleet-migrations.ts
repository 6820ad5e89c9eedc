/**
 * One ADD COLUMN over many results databases, beside the floor (connecting to each and hanging up), each measured in
 * turns on the same server: `npx tsx tests/benchmarks/fleet-migrations.ts [databases] [rounds]`.
 */
import { spawn } from 'node:child_process';
import { Client } from 'pg';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { asRelease, createReleases, provisionAll, registerMany } from '../support/fleet.ts';
import { stopSharedTestServer } from '../support/postgres-server.ts';

const CONCURRENCY = 4;
const [databases = 200, rounds = 3] = process.argv.slice(2).map(Number);
/** A process for each database is slow enough to be measured on a few. */
const PROCESSES = 8;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const inParallel = async (items: readonly string[], work: (item: string) => Promise<void>): Promise<void> => {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
};

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
};

const connectOnly = (deployment: Deployment, ids: readonly string[]): Promise<void> => {
  const server = DatabaseUrl.parse(deployment.environment['DB_DATABASE_URL'] ?? '');
  return inParallel(ids, async (id) => {
    const url = server.withDatabase(deployment.databaseName(id));
    const client = new Client({ ...url.toClientConfigs()[0], application_name: 'floor' });
    await client.connect();
    await client.end();
  });
};

/** `knex migrate:latest` as a process, which finds nothing to do: the cost is the process's. */
const knexCommand = (deployment: Deployment, id: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', 'node_modules/knex/bin/cli.js', 'migrate:status', '--env', 'results'],
      { env: { ...process.env, ...deployment.environment, ORG_ID: id }, stdio: 'ignore' },
    );
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`knex ended with ${code}`))));
  });

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const run = async (): Promise<void> => {
  const releases = await createReleases(
    Array.from({ length: rounds + 1 }, (_, round) => ({
      name: `add_column_${round}`,
      up: `await knex.raw('alter table docking_jobs add column c${round} text')`,
    })),
  );
  const deployment = await createDeployment();
  try {
    const ids = await registerMany(deployment, databases);
    await provisionAll(asRelease(deployment.start(), releases.release(releases.base)), ids);
    say(
      `${databases} databases stand; ${CONCURRENCY} connections at once; ${rounds} rounds after one to warm up`,
    );
    const some = ids.slice(0, PROCESSES);
    const processes = await secondsOf(async () => {
      for (const id of some) await knexCommand(deployment, id);
    });
    const floors: number[] = [];
    const fleets: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const operator = asRelease(deployment.start(), releases.release(releases.base + 1 + round)).get(
        TOKENS.fleetOperator,
      );
      const floor = await secondsOf(() => connectOnly(deployment, ids));
      const fleet = await secondsOf(async () => {
        const { status } = await operator.run(
          { only: null, canaries: 1, waveSize: { percent: 25 }, errorBudget: { count: 0 } },
          { concurrency: CONCURRENCY },
        );
        if (status?.counts.done !== ids.length) throw new Error('the run did not migrate all');
      });
      say(
        `round ${round}: floor ${floor.toFixed(2)} s, fleet ${fleet.toFixed(2)} s, ratio ${(fleet / floor).toFixed(2)}`,
      );
      if (round === 0) continue;
      floors.push(floor);
      fleets.push(fleet);
    }
    const noop = await secondsOf(() =>
      asRelease(deployment.start(), releases.release(releases.newest))
        .get(TOKENS.fleetOperator)
        .run(
          { only: null, canaries: 1, waveSize: { percent: 25 }, errorBudget: { count: 0 } },
          { concurrency: CONCURRENCY },
        ),
    );
    const perProcess = (processes / some.length) * databases;
    const [floor, fleet] = [median(floors), median(fleets)];
    say('');
    say(`connect only (floor)          ${floor.toFixed(2)} s    1.0 ×`);
    say(`fleet run, one ADD COLUMN     ${fleet.toFixed(2)} s    ${(fleet / floor).toFixed(1)} ×`);
    say(`fleet run, nothing to do      ${noop.toFixed(2)} s`);
    say(
      `a process per database        ${perProcess.toFixed(0)} s    ${(perProcess / fleet).toFixed(0)} × the fleet run (from ${some.length})`,
    );
  } finally {
    await deployment.dispose();
    await releases.dispose();
  }
};

try {
  await run();
} finally {
  await stopSharedTestServer();
}
