import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import pg from 'pg';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { Actor } from '../../application/actor.ts';
import type { RankingKey, RankingRequest } from '../../domain/jobs/ranking.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { listen } from '../../infrastructure/http-server/http-server.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { sampleNote } from '../support/sample-job.ts';
import { send } from '../support/send.ts';
import { interleave, median, timed } from './statistics.ts';
import { print, type Line } from './table.ts';

const LIMIT = { kind: 'at most', ratio: 1.5 } as const;
const RANKED_JOBS = 100_000;
const PAGE = 200;
const LATE_PAGE = 50;
const RANK_ROUNDS = 60;
const BATCH = 1000;
const BATCH_ROUNDS = 15;

interface Bench {
  readonly deployment: Deployment;
  readonly database: ResultsDatabase;
  /** The same database, without the service. */
  readonly bare: pg.Client;
}

export const ORGANIZATION = 'acme';

/** A deployment with one organization's database, also without the service. */
export const withDatabase = async (serverUrl: string, work: (bench: Bench) => Promise<readonly Line[]>) => {
  const deployment = await createDeployment({}, { url: serverUrl });
  await deployment.register(ORGANIZATION);
  const { database, release } = await deployment
    .start()
    .get(TOKENS.connectionManager)
    .acquire(organizationId(ORGANIZATION));
  const bare = new pg.Client({
    connectionString: new URL(`/${deployment.databaseName(ORGANIZATION)}`, serverUrl).href,
  });
  await bare.connect();
  try {
    return await work({ deployment, database, bare });
  } finally {
    await bare.end();
    release();
    await deployment.dispose();
  }
};

export const makeCampaign = async ({ database }: Bench): Promise<string> => {
  const campaignId = randomUUID();
  await database.campaigns.insert({
    campaignId,
    name: 'measured',
    description: null,
    engine: null,
    inputs: {},
    params: {},
    priority: null,
    createdBy: 'user-1',
    note: sampleNote('campaign.created'),
  });
  return campaignId;
};

/** Completed jobs with scores in no order, a hundredth of them doubted. */
export const fillCampaign = async ({ bare }: Bench, campaignId: string): Promise<void> => {
  await bare.query(
    `insert into docking_jobs (job_id, status, engine, pipeline_version, inputs, params, priority, input_signature,
       submitted_by, campaign_id, label)
     select gen_random_uuid(), 'COMPLETED', 'vina', '1.0.0', '{"receptor": "r", "ligand": "l"}', '{}', 0,
       repeat('0', 64), 'user-1', $1, 'ligand ' || number
     from generate_series(1, $2::int) as number`,
    [campaignId, RANKED_JOBS],
  );
  await bare.query(
    `insert into job_scores (job_id, output_job_id, task_name, campaign_id, label, best_affinity, pose_count, top_pose,
       suspect, ligand_file, ligand_name, created_at)
     select job_id, job_id, 'docking', campaign_id, label, -13 * random(), 9,
       '{"rank": 1, "affinity_kcal_mol": -7.5, "rmsd_lower_bound": 0, "rmsd_upper_bound": 0}',
       case when random() < 0.01 then '{out_of_range}'::text[] else '{}' end,
       'sha256:' || repeat('0f', 32), label || '.pdbqt', created_at
     from docking_jobs where campaign_id = $1`,
    [campaignId],
  );
  await bare.query('vacuum analyze docking_jobs, job_scores');
};

const SCAN = `select job_id, label, best_affinity, pose_count, suspect, top_pose, ligand_file, ligand_name,
    poses_artifact_id, created_at
  from job_scores where campaign_id = $1 and suspect = '{}'`;
const SCAN_END = `order by best_affinity, job_id limit ${PAGE + 1}`;

/** The first and the fiftieth page of a ranking, beside a scan of its index that shows the same columns. */
export const rankings = (serverUrl: string): Promise<readonly Line[]> =>
  withDatabase(serverUrl, async (bench) => {
    const { database, bare } = bench;
    const campaignId = await makeCampaign(bench);
    await fillCampaign(bench, campaignId);
    const request: RankingRequest = {
      campaignId,
      sort: 'affinity',
      order: 'asc',
      minAffinity: null,
      maxAffinity: null,
      labelPrefix: null,
      includesSuspect: false,
      poses: 1,
    };
    const read = (after: RankingKey | null) => database.scores.rank(request, { limit: PAGE, after });
    let key: RankingKey | null = null;
    for (let page = 1; page < LATE_PAGE; page += 1) ({ next: key } = await read(key));
    const late: RankingKey | null = key;
    if (late === null) throw new Error('the ranking is too short');
    const times = await interleave(RANK_ROUNDS, {
      first: () => timed(() => read(null)),
      late: () => timed(() => read(late)),
      scan: () =>
        timed(() => bare.query({ name: 'scan', text: `${SCAN} ${SCAN_END}`, values: [campaignId] })),
      lateScan: () =>
        timed(() =>
          bare.query({
            name: 'late_scan',
            text: `${SCAN} and (best_affinity, job_id) > ($2, $3) ${SCAN_END}`,
            values: [campaignId, late.value, late.jobId],
          }),
        ),
    });
    const line = (page: string, ours: readonly number[], floor: readonly number[]): Line => ({
      measure: `${page} page of a ranking over ${RANKED_JOBS} jobs, over a bare index scan`,
      ours: median(ours) * 1000,
      floor: median(floor) * 1000,
      unit: 'µs',
      limit: LIMIT,
    });
    return [line('first', times.first, times.scan), line(`${LATE_PAGE}th`, times.late, times.lateScan)];
  });

const LIGAND = '0f'.repeat(32);

/** Their ligand is a file that the organization has. */
const itemsOf = (round: number) =>
  Array.from({ length: BATCH }, (_, number) => ({
    label: `ligand ${number}`,
    inputs: { ligand: { file: `sha256:${LIGAND}`, name: `ligand ${number} of ${round}.pdbqt` } },
    params: { seed: number },
  }));

const ADD_FILE = `
  insert into files (sha256, size_bytes, media_type, state, created_by)
  values ('${LIGAND}', 1, 'chemical/x-pdbqt', 'stored', 'user-1')`;

const INSERT = `
  with made as (
    insert into docking_jobs (job_id, status, engine, pipeline_version, inputs, params, priority, input_signature,
      submitted_by, campaign_id, label)
    select gen_random_uuid(), 'PENDING', 'vina', '1.0.0', item.inputs, item.params, 0, repeat('0', 64), 'user-1', $1,
      item.label
    from jsonb_to_recordset($2::jsonb) as item (inputs jsonb, params jsonb, label text)
    returning job_id, inputs
  )
  insert into job_files (job_id, role, name, sha256)
  select job_id, 'ligand', inputs #>> '{ligand,name}', '${LIGAND}' from made`;

/** A batch of a thousand jobs by the use case that submits it, and over HTTP, beside one insert of the same rows. */
export const batches = (serverUrl: string): Promise<readonly Line[]> =>
  withDatabase(serverUrl, async (bench) => {
    const { deployment, database, bare } = bench;
    const campaignId = await makeCampaign(bench);
    await bare.query(ADD_FILE);
    const container = deployment.start();
    const { submitBatch } = container.get(TOKENS.useCases);
    const actor: Actor = {
      principal: {
        userId: 'user-1',
        organizationId: organizationId(ORGANIZATION),
        roles: new Set(['member']),
      },
      requestId: 'bench',
      address: null,
    };
    const submission = (round: number) => ({
      campaignId,
      engine: 'vina',
      pipelineVersion: '1.0.0',
      inputs: {},
      params: {},
      priority: null,
      maxAttempts: null,
      maxRuntimeSeconds: null,
      items: itemsOf(round),
      useCache: false,
      idempotencyKey: null,
    });
    const server = await listen(deployment.app(container), '127.0.0.1', 0, { answerClientError: () => '' });
    const agent = new Agent({ keepAlive: true });
    const token = deployment.token(ORGANIZATION, ['member']);
    const post = async (round: number): Promise<void> => {
      const body = { engine: 'vina', campaign_id: campaignId, items: itemsOf(round) };
      const { status, text } = await send(server.url, 'POST', '/job-batches', { token, body }, agent);
      if (status !== 201) throw new Error(`a batch failed: ${status} ${text}`);
    };
    try {
      const times = await interleave(BATCH_ROUNDS, {
        ours: async (round) => {
          const made = submission(round);
          return timed(() => submitBatch(database, actor, made));
        },
        bare: async (round) => {
          const values = [campaignId, JSON.stringify(itemsOf(round))];
          return timed(() => bare.query({ name: 'insert', text: INSERT, values }));
        },
        http: (round) => timed(() => post(round)),
      });
      print(`  the same batch over HTTP: ${median(times.http).toFixed(1)} ms`);
      return [
        {
          measure: `a batch of ${BATCH} jobs, over one bare insert … select`,
          ours: median(times.ours),
          floor: median(times.bare),
          unit: 'ms',
          limit: LIMIT,
        },
      ];
    } finally {
      agent.destroy();
      await server.close();
    }
  });
