import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { createDeployment } from '../support/deployment.ts';
import { fill, lease, openOurs, type LeasedOrganization } from './queues/ours.ts';
import { openHttp } from './queues/http.ts';
import { BATCH, COLLECTED, openGraphileWorker, openPgBoss } from './queues/peers.ts';
import { interleave, median, timed } from './statistics.ts';
import { print, type Line } from './table.ts';

const JOBS = 10_000;
const ROUNDS = 3;
const [FEW, MANY] = [1000, 1_000_000];
const CLAIMS = 40;
const LEASES = 200;
const HEARTBEATS = 60;

/**
 * Claim and completion of small jobs beside the queues that a user would pick instead, on one server. graphile-worker
 * completes jobs one by one unless it is told to collect them, as it recommends where there are many: both are measured.
 */
export const claims = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment({}, { url: serverUrl });
  await deployment.register('acme', 'http');
  const peers = ['boss', 'graphile', 'one_by_one'].map((name) => `${name}_${randomUUID()}`);
  for (const name of peers) await deployment.administer(`create database "${name}"`);
  const [boss = '', graphile = '', oneByOne = ''] = peers.map((name) => new URL(`/${name}`, serverUrl).href);
  const queues = {
    ours: await openOurs(deployment, 'acme'),
    'over HTTP': await openHttp(deployment, 'http'),
    'pg-boss': await openPgBoss(boss),
    'graphile-worker': await openGraphileWorker(graphile, COLLECTED),
    'graphile-worker, one by one': await openGraphileWorker(oneByOne),
  };
  try {
    const measures = Object.entries(queues).map(
      ([name, queue]) => [name, () => queue.workOff(JOBS)] as const,
    );
    const series = await interleave(ROUNDS, Object.fromEntries(measures));
    const takes = (name: keyof typeof queues): number => median(series[name] ?? []);
    for (const [name, samples] of Object.entries(series))
      print(`  ${name}: ${((JOBS / median(samples)) * 1000).toFixed(0)} jobs a second`);
    const line = (name: keyof typeof queues, ratio: number): Line => ({
      measure: `claim and completion of ${JOBS} jobs, batches of ${BATCH}: rate over that of ${name}`,
      ours: takes('ours'),
      floor: takes(name),
      ...atLeast(ratio),
    });
    return [line('pg-boss', 1), line('graphile-worker', 0.7), line('graphile-worker, one by one', 0.7)];
  } finally {
    for (const queue of Object.values(queues)) await queue.close();
    for (const name of peers) await deployment.administer(`drop database "${name}" with (force)`);
    await deployment.dispose();
  }
};

const atLeast = (ratio: number) => ({ unit: 'ms', limit: { kind: 'at least', ratio } }) as const;
const atMost = (ratio: number) => ({ unit: 'ms', limit: { kind: 'at most', ratio } }) as const;

/** What a claim costs before a long queue, and what heartbeats cost. */
export const leases = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment({}, { url: serverUrl });
  await deployment.register('few', 'many');
  const few = await lease(deployment, 'few');
  const many = await lease(deployment, 'many');
  const plain = new Client(new URL(`/${deployment.databaseName('few')}`, serverUrl).href);
  try {
    await fill(deployment, 'few', FEW);
    await fill(deployment, 'many', MANY);
    const claimIn = async ({ claim }: LeasedOrganization) => {
      const { items } = await claim();
      if (items.length !== BATCH) throw new Error(`a claim got ${items.length} jobs`);
    };
    const { fewJobs, manyJobs } = await interleave(CLAIMS, {
      fewJobs: () => timed(() => claimIn(few)),
      manyJobs: () => timed(() => claimIn(many)),
    });
    const held = [];
    while (held.length < LEASES) held.push(...(await few.claim(50)).items);
    const beats = held
      .slice(0, LEASES)
      .map(({ job, lease: { leaseId } }) => ({ jobId: job.jobId, leaseId, progress: null }));
    await plain.connect();
    await plain.query(`create table plain (like job_attempts including all) with (fillfactor = 70)`);
    await plain.query(`insert into plain select * from job_attempts limit ${LEASES}`);
    const { rows } = await plain.query<{ ids: string[] }>(`select array_agg(lease_id) as ids from plain`);
    const update = {
      name: 'update',
      text: `update plain set expires_at = now() + interval '120 seconds' where lease_id = any($1::uuid[])
        returning lease_id, expires_at`,
      values: [rows[0]?.ids],
    };
    const { heartbeats, updates } = await interleave(HEARTBEATS, {
      heartbeats: () => timed(() => few.database.attempts.heartbeat(beats)),
      updates: () => timed(() => plain.query(update)),
    });
    return [
      {
        measure: `claim of ${BATCH} before ${MANY} waiting jobs, over before ${FEW}`,
        ours: median(manyJobs),
        floor: median(fewJobs),
        ...atMost(1.3),
      },
      {
        measure: `heartbeat of ${LEASES} leases, over one UPDATE of ${LEASES} rows by their ids`,
        ours: median(heartbeats),
        floor: median(updates),
        ...atMost(2),
      },
    ];
  } finally {
    await plain.end();
    few.release();
    many.release();
    await deployment.dispose();
  }
};
