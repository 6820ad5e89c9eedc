import { expect } from 'chai';
import pg from 'pg';
import { KnexDatabaseLedger } from '../../adapters/knex/metadata/knex-database-ledger.ts';
import { KnexDeploymentGauge } from '../../adapters/knex/metadata/knex-deployment-figures.ts';
import { KnexFleetLedger } from '../../adapters/knex/metadata/knex-fleet-ledger.ts';
import { KnexOrganizationRepository } from '../../adapters/knex/metadata/knex-organization-repository.ts';
import { KnexSpareLedger } from '../../adapters/knex/metadata/knex-spare-ledger.ts';
import type { SqlDatabase, SqlQuery } from '../../adapters/knex/statement.ts';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';

const ORGANIZATIONS = 20_000;

/** What of a plan's node the test looks at. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

const nodesOf = (node: PlanNode): readonly PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** Rows that the plan has looked at, those that it left out among them. */
const rowsReadBy = (plan: PlanNode): number =>
  nodesOf(plan)
    .filter(({ 'Node Type': type }) => type.includes('Scan'))
    .reduce(
      (sum, node) =>
        sum + node['Actual Loops'] * (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)),
      0,
    );

describe('What processes look at again and again', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let client: pg.Client;

  before(async () => {
    deployment = await createDeployment();
    client = new pg.Client({ connectionString: deployment.environment['DB_DATABASE_URL'] });
    await client.connect();
    await client.query(
      `insert into organizations (org_id, name, status)
       select 'org-' || n, 'n', case when n % 5000 = 0 then 'suspended' else 'active' end
       from generate_series(1, $1::int) n`,
      [ORGANIZATIONS],
    );
    await client.query(
      `insert into organization_databases (org_id, database_name, state, stamp, schema_version, created_at, updated_at)
       select org_id, org_id, case when org_id like 'org-19_99' then 'failed' else 'ready' end, gen_random_uuid(), 1,
         now() - interval '1 day', now() - interval '1 day'
       from organizations`,
    );
    await client.query(
      `insert into settings (org_id, settings) select org_id, '{"max_pending_jobs": 2}'
       from organizations where org_id like 'org-199_9'`,
    );
    await client.query('vacuum analyze organizations, organization_databases, settings');
  });
  after(async () => {
    await client.end();
    await deployment.dispose();
  });

  /** Rows that the statements of `run` read. Each is answered as if there were nothing. */
  const rowsRead = async (run: (database: SqlDatabase) => Promise<unknown>): Promise<number> => {
    const queries: SqlQuery<unknown>[] = [];
    const database: SqlDatabase = {
      query: async (query) => {
        queries.push(query);
        return [];
      },
      transaction: (work) => work(database),
    };
    await run(database).catch(() => undefined);
    let rows = 0;
    for (const { text, values } of queries) {
      const answer = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
        `explain (analyze, format json) ${text}`,
        [...values],
      );
      const plan = answer.rows[0]?.['QUERY PLAN'][0]?.Plan;
      if (plan === undefined) throw new Error('no plan');
      rows += rowsReadBy(plan);
    }
    expect(queries, 'statements').to.not.be.empty;
    return rows;
  };

  it('finds databases that changed just now, though all have left the window of versions', async () => {
    const look = (database: SqlDatabase) =>
      new KnexFleetLedger(database).listMoved({ oldest: 2, newest: 3 }, 32_000, [organizationId('org-7')]);
    expect(await rowsRead(look)).to.be.at.most(10);
  });

  it('counts databases by their state from those that are not ready', async () => {
    expect(await rowsRead((database) => new KnexDatabaseLedger(database).countByState())).to.be.at.most(100);
  });

  it('counts organizations with an older schema from those alone', async () => {
    const measured = { schemaVersion: 1, engines: ['vina'], silentForMs: 60_000 };
    const look = (database: SqlDatabase) => new KnexDeploymentGauge(database).measure(measured);
    expect(await rowsRead(look)).to.be.at.most(20);
  });

  it('finds who is suspended or has settings that count, and nobody else', async () => {
    const look = (database: SqlDatabase) => new KnexOrganizationRepository(database).listControls(null);
    expect(await rowsRead(look)).to.be.at.most(100);
  });

  it('counts newcomers of a server from those that came just now', async () => {
    const spare = {
      spareId: 'a3bb189e-8bf9-3bac-9912-6e5b2e1b1ed2',
      serverId: DEFAULT_SERVER,
      databaseName: 'spare',
      templateHash: 'hash',
      schemaVersion: 1,
    };
    const look = (database: SqlDatabase) => new KnexSpareLedger(database).plan(spare, { min: 1, max: 9 });
    expect(await rowsRead(look)).to.be.at.most(20);
  });

  it('looks up a page of organizations by their ids', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => organizationId(`org-${index + 1}`));
    const look = (database: SqlDatabase) =>
      new KnexDatabaseLedger(database).findOnServer(DEFAULT_SERVER, ids);
    expect(await rowsRead(look)).to.be.at.most(200);
  });

  it('reads a page of a plan without the pages around it', async () => {
    const look = (database: SqlDatabase) =>
      new KnexFleetLedger(database).listCandidates({ behind: null }, { limit: 50, after: 'org-15' });
    expect(await rowsRead(look)).to.be.at.most(60);
  });
});
