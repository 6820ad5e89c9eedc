import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import pg from 'pg';
import { KnexCampaignRepository } from '../../adapters/knex/results/knex-campaign-repository.ts';
import { KnexDockingJobRepository } from '../../adapters/knex/results/knex-docking-job-repository.ts';
import { KnexScoreRepository } from '../../adapters/knex/results/knex-score-repository.ts';
import type { SqlExecutor, SqlQuery } from '../../adapters/knex/statement.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { until } from '../support/gate.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';

const CAMPAIGN_JOBS = 2000;
const NEWER_JOBS = 20_000;

/** What of a plan's node the test looks at. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

const indexesOf = (node: PlanNode): readonly string[] => [
  ...(node['Index Name'] === undefined ? [] : [node['Index Name']]),
  ...(node.Plans ?? []).flatMap(indexesOf),
];
const nodesOf = (node: PlanNode): readonly string[] => [
  node['Node Type'],
  ...(node.Plans ?? []).flatMap(nodesOf),
];

describe('Lists of a campaign in a large database', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let client: pg.Client;
  const campaignId = randomUUID();

  before(async () => {
    deployment = await createDeployment();
    await deployment.register('alpha');
    const manager = deployment.start().get(TOKENS.connectionManager);
    (await manager.acquire(organizationId('alpha'))).release();
    const url = new URL(deployment.environment['DB_DATABASE_URL'] ?? '');
    url.pathname = `/${deployment.databaseName('alpha')}`;
    client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.query(`insert into campaigns (campaign_id, name, created_by) values ($1, 'old', 'user-1')`, [
      campaignId,
    ]);
    await client.query(
      `insert into docking_jobs (job_id, status, engine, pipeline_version, inputs, params, priority, input_signature,
         submitted_by, campaign_id, label, created_at)
       select gen_random_uuid(), 'COMPLETED', 'vina', '1.0.0', '{"a": 1}', '{}', 0, repeat('0', 64), 'user-1',
         case when number <= $2::int then $1::uuid end, 'l' || number, now() - interval '1 day' + number * interval '1 second'
       from generate_series(1, $2::int + $3::int) as number`,
      [campaignId, CAMPAIGN_JOBS, NEWER_JOBS],
    );
    await client.query(
      `insert into job_scores (job_id, output_job_id, task_name, campaign_id, label, best_affinity, pose_count, top_pose,
         suspect, created_at)
       select job_id, job_id, 'docking', campaign_id, label, -random(), 1, '{}',
         case when random() < 0.05 then '{out_of_range}'::text[] else '{}' end, created_at
       from docking_jobs where campaign_id is not null`,
    );
    // A page that somebody's snapshot may still see otherwise is not marked: then it is tried again.
    await until('all pages are marked as visible to all', async () => {
      await client.query('vacuum analyze docking_jobs, job_scores');
      const { rows } = await client.query<{ left: number }>(
        `select sum(relpages - relallvisible)::integer as left from pg_class
         where relname in ('docking_jobs', 'job_scores') and relnamespace = 'public'::regnamespace`,
      );
      return rows[0]?.left === 0;
    });
  });
  after(async () => {
    await client.end();
    await deployment.dispose();
  });

  /** The plan of the statement that a repository runs. */
  const planOf = async (run: (executor: SqlExecutor) => Promise<unknown>): Promise<PlanNode> => {
    const queries: SqlQuery<unknown>[] = [];
    await run({
      query: async (query) => {
        queries.push(query);
        return [];
      },
    });
    const [query] = queries;
    const { rows } = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
      `explain (format json) ${query?.text}`,
      [...(query?.values ?? [])],
    );
    const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
    if (plan === undefined) throw new Error('no plan');
    return plan;
  };

  it('walk the campaign’s own index, although all its jobs are old', async () => {
    const key = { createdAt: new Date(), jobId: randomUUID() };
    for (const after of [null, key])
      for (const status of [null, 'COMPLETED'] as const) {
        const plan = await planOf((executor) =>
          new KnexDockingJobRepository(executor).list(
            { campaignId, status },
            { limit: 50, after, maxBytes: 1e6 },
          ),
        );
        const ofJobs = indexesOf(plan).filter((name) => name.startsWith('docking_jobs'));
        expect(new Set(ofJobs)).to.deep.equal(new Set(['docking_jobs_campaign_id_idx']));
        // That of the few rows which are answered.
        expect(nodesOf(plan).filter((node) => node.includes('Sort'))).to.have.length(1);
      }
  });

  it('count its jobs from indexes alone', async () => {
    const plan = await planOf((executor) => new KnexCampaignRepository(executor).count(campaignId));
    expect(indexesOf(plan)).to.have.members(['docking_jobs_campaign_id_idx', 'job_scores_suspect_idx']);
    expect(nodesOf(plan)).to.include('Index Only Scan');
  });

  for (const [sort, includesSuspect, indexes] of [
    ['affinity', false, ['job_scores_ranking_idx']],
    ['affinity', true, ['job_scores_ranking_idx', 'job_scores_suspect_idx']],
    ['label', true, ['job_scores_label_idx']],
    ['created_at', true, ['job_scores_created_at_idx']],
  ] as const)
    it(`rank by ${sort}${includesSuspect ? ', doubted scores among them,' : ''} along an index in that order`, async () => {
      const values = { affinity: -0.5, label: 'l5', created_at: Date.now() };
      for (const after of [null, { value: values[sort], jobId: randomUUID() }]) {
        const request = { campaignId, sort, order: 'asc', includesSuspect, poses: 1 } as const;
        const plan = await planOf((executor) =>
          new KnexScoreRepository(executor).rank(
            { ...request, minAffinity: null, maxAffinity: null, labelPrefix: null },
            { limit: 50, after },
          ),
        );
        expect(indexesOf(plan)).to.have.members(indexes);
      }
    });
});
