import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { startHttpProcess } from '../support/http-process.ts';
import { sampleJob } from '../support/sample-job.ts';
import { LoadClient, type LoadRequest } from './load.ts';
import { RawDatabases } from './raw-databases.ts';
import { interleave, median, percentile, timed } from './statistics.ts';
import { print, type Line } from './table.ts';

/** As the embedded start has it: a role per organization. */
const ROLES = { DB_ORG_ROLES: 'true', DB_ROLE_SECRET: 'a secret for roles that is long enough' };
const SPARES = 4;
const STEADY_SPARES = { DB_SPARES_MIN: String(SPARES), DB_SPARES_MAX: String(SPARES) };
const NO_SPARES = { DB_SPARES_MIN: '0', DB_SPARES_MAX: '0' };

/** For the last sessions to end, whose work would be counted with what is measured next. */
const SETTLING_MS = 30;
const SPARE_ROUNDS = 40;
const CLONE_ROUNDS = 20;
const HTTP_ROUNDS = 30;
const WARM_REQUESTS = 5;

const STORM_ROUNDS = 4;
const STORM_ORGANIZATIONS = 100;
const CLONES_OF_THE_DRIVER = 20;
const READERS = 10;
const READS_PER_SECOND = 100;
const QUIET_MS = 6000;

/** Registers an organization that nothing was ever asked of. */
const newcomer = async (deployment: Deployment, label: string): Promise<string> => {
  await deployment.register(label);
  return label;
};

/** Waits until the service has made up for the spares that were claimed, and nothing is being built. */
const restock = async (deployment: Deployment, wanted: number): Promise<void> => {
  await until(
    'the spares are complete',
    async () => {
      const [row] = await deployment.administer<{ ready: number; others: number }>(
        `select count(*) filter (where state = 'ready')::int as ready,
           count(*) filter (where state <> 'ready')::int as others from spare_databases`,
        [],
        deployment.metadataDatabase,
      );
      return row !== undefined && row.ready >= wanted && row.others === 0;
    },
    60_000,
  );
  await sleep(SETTLING_MS);
};

/** From the request for the organization to the answer of its first query. */
const firstRow = async (container: Container, id: string): Promise<void> => {
  const { database, release } = await container.get(TOKENS.connectionManager).acquire(organizationId(id));
  try {
    await database.jobs.list({ status: null }, { limit: 100, after: null });
  } finally {
    release();
  }
};

/** A claim of a spare, between the driver's own and a database made and migrated on the spot. */
export const spares = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment({ ...ROLES, ...STEADY_SPARES }, { url: serverUrl });
  const container = deployment.start();
  const raw = await RawDatabases.open(container);
  const keeper = container.get(TOKENS.spareKeeper);
  try {
    keeper.start();
    const { ours, floor, migrated } = await interleave(SPARE_ROUNDS, {
      ours: async (round) => {
        const id = await newcomer(deployment, `spare-${round}`);
        await restock(deployment, SPARES);
        return timed(() => firstRow(container, id));
      },
      floor: async () => {
        const claim = await raw.prepareSpare();
        await restock(deployment, SPARES);
        return timed(claim);
      },
      migrated: async () => {
        await restock(deployment, SPARES);
        return timed(() => raw.createAndMigrate());
      },
    });
    print(
      `  raw rename + connect + select is ${(median(migrated) / median(floor)).toFixed(2)} × as fast as create + Knex migrations`,
    );
    return [
      {
        measure: 'claim of a spare to first row, over raw rename + connect + select',
        ours: median(ours),
        floor: median(floor),
        unit: 'ms',
        limit: { kind: 'at most', ratio: 1.3 },
      },
      {
        measure: 'claim of a spare to first row, against create + Knex migrations',
        ours: median(ours),
        floor: median(migrated),
        unit: 'ms',
        limit: { kind: 'at least', ratio: 8 },
      },
    ];
  } finally {
    await keeper.close();
    await raw.close();
    await deployment.stop();
  }
};

/** A database made while the request waits, as there is no spare. */
export const clones = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment({ ...ROLES, ...NO_SPARES }, { url: serverUrl });
  const container = deployment.start();
  const raw = await RawDatabases.open(container);
  try {
    const { ours, floor } = await interleave(CLONE_ROUNDS, {
      ours: async (round) => {
        const id = await newcomer(deployment, `clone-${round}`);
        return timed(() => firstRow(container, id));
      },
      floor: () => timed(() => raw.clone()),
    });
    return [
      {
        measure: 'clone to first row, over raw clone + connect + select',
        ours: median(ours),
        floor: median(floor),
        unit: 'ms',
        limit: { kind: 'at most', ratio: 1.3 },
      },
    ];
  } finally {
    await raw.close();
    await deployment.stop();
  }
};

/** The first request of an organization, over HTTP. */
export const firstRequests = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment(
    { ...ROLES, ...STEADY_SPARES, NODE_ENV: 'production', LOG_LEVEL: 'info' },
    { url: serverUrl },
  );
  const service = await startHttpProcess(deployment.environment);
  const client = new LoadClient();
  const raw = await RawDatabases.open(deployment.start());
  const listJobs = (id: string): LoadRequest => ({
    method: 'GET',
    path: `/organizations/${id}/jobs`,
    token: deployment.token(id, ['member']),
  });
  try {
    const url = await service.listening();
    const ask = async (id: string): Promise<number> =>
      median(await client.run({ url, requests: [listJobs(id)], mode: { kind: 'burst' } }));
    await newcomer(deployment, 'warm');
    const { first, floor, warm } = await interleave(HTTP_ROUNDS, {
      first: async (round) => {
        const id = await newcomer(deployment, `first-${round}`);
        await restock(deployment, SPARES);
        return ask(id);
      },
      floor: async () => {
        const claim = await raw.prepareSpare();
        await restock(deployment, SPARES);
        return timed(claim);
      },
      warm: async () => {
        await restock(deployment, SPARES);
        const samples: number[] = [];
        for (let index = 0; index < WARM_REQUESTS; index += 1) samples.push(await ask('warm'));
        return median(samples);
      },
    });
    return [
      {
        measure: 'first HTTP request of an organization with a spare, over a warm one + raw claim',
        ours: median(first),
        floor: median(warm) + median(floor),
        unit: 'ms',
        limit: { kind: 'at most', ratio: 3 },
      },
    ];
  } finally {
    client.close();
    await raw.close();
    await service.dispose();
    await deployment.stop();
  }
};

/** What readers of other organizations notice of many new ones. */
export const storm = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment(
    { ...ROLES, DB_SPARES_MIN: '20', DB_SPARES_MAX: '20', NODE_ENV: 'production', LOG_LEVEL: 'info' },
    { url: serverUrl },
  );
  const service = await startHttpProcess(deployment.environment);
  const [readers, newcomers] = [new LoadClient(), new LoadClient()];
  const local = deployment.start({ LOG_LEVEL: 'silent' });
  const raw = await RawDatabases.open(local);
  try {
    const url = await service.listening();
    const reads = await Promise.all(
      Array.from({ length: READERS }, async (_, index): Promise<LoadRequest> => {
        const id = await newcomer(deployment, `reader-${index}`);
        const lease = await local.get(TOKENS.connectionManager).acquire(organizationId(id));
        const job = await lease.database.jobs.insert(sampleJob());
        lease.release();
        const path = `/organizations/${id}/jobs/${job?.jobId ?? ''}`;
        return { method: 'GET', path, token: deployment.token(id, ['member']) };
      }),
    );
    const read = () =>
      readers.start({ url, requests: reads, mode: { kind: 'paced', perSecond: READS_PER_SECOND } });
    const requestsOf = async (round: number): Promise<readonly LoadRequest[]> => {
      const ids = Array.from({ length: STORM_ORGANIZATIONS }, (_, index) => `storm-${round}-${index}`);
      await deployment.register(...ids);
      return ids.map((id) => ({
        method: 'GET',
        path: `/organizations/${id}/jobs`,
        token: deployment.token(id, ['member']),
      }));
    };
    await restock(deployment, 20);
    const slowest: number[] = [];
    const { quiet, cloning, stormy } = await interleave(STORM_ROUNDS, {
      quiet: async () => {
        await restock(deployment, 20);
        const reading = read();
        await sleep(QUIET_MS);
        reading.stop();
        return percentile(await reading.done, 0.99);
      },
      cloning: async () => {
        await restock(deployment, 20);
        const reading = read();
        for (let made = 0; made < CLONES_OF_THE_DRIVER; made += 1) await raw.clone();
        reading.stop();
        return percentile(await reading.done, 0.99);
      },
      stormy: async (round) => {
        const requests = await requestsOf(round);
        await restock(deployment, 20);
        const reading = read();
        slowest.push(Math.max(...(await newcomers.run({ url, requests, mode: { kind: 'burst' } }))));
        reading.stop();
        return percentile(await reading.done, 0.99);
      },
    });
    print(
      `  a storm lasts ${median(slowest).toFixed(0)} ms; p99 of each round, quiet ${inMs(quiet)}, in the storm ${inMs(stormy)}`,
    );
    print(`  while the driver alone makes one clone after another: ${inMs(cloning)}`);
    return [
      {
        measure: `p99 of readers during first requests of ${STORM_ORGANIZATIONS} organizations, over clones by the driver`,
        ours: median(stormy),
        floor: median(cloning),
        unit: 'ms',
        limit: { kind: 'at most', ratio: 1.25 },
      },
    ];
  } finally {
    readers.close();
    newcomers.close();
    await raw.close();
    await service.dispose();
    await deployment.stop();
  }
};

const inMs = (samples: readonly number[]): string => samples.map((value) => value.toFixed(1)).join(' ');
