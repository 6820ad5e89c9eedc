import { expect } from 'chai';
import { KnexEventTrail } from '../../adapters/knex/metadata/knex-event-trail.ts';
import type { SqlExecutor } from '../../adapters/knex/statement.ts';
import type {
  MetadataDatabase,
  MetadataRepositories,
} from '../../application/ports/databases/metadata-database.ts';
import { EVENT_TYPES } from '../../domain/events/job-event.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, until } from '../support/gate.ts';

const [ACME, BETA, QUIET] = [organizationId('acme'), organizationId('beta'), organizationId('quiet')];

describe('The events in the audit trail', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let metadata: MetadataDatabase;
  let executor: SqlExecutor;

  before(async () => {
    deployment = await createDeployment();
    await deployment.register(ACME, BETA, QUIET);
    const container = deployment.start();
    metadata = container.get(TOKENS.metadataDatabase);
    executor = container.get(TOKENS.metadataSql);
  });
  after(() => deployment.dispose());

  const happen = ({ auditLog }: Pick<MetadataRepositories, 'auditLog'>, id: OrganizationId, action: string) =>
    auditLog.append({
      organizationId: id,
      userId: null,
      action,
      entityType: 'job',
      entityId: crypto.randomUUID(),
      details: {},
      requestId: null,
    });
  const typesOf = async (id: OrganizationId, after = 0): Promise<readonly string[]> => {
    const events = await metadata.events.list(id, { after, types: EVENT_TYPES, limit: 100 });
    return events.map(({ type }) => type);
  };

  it('never come to light behind one that was there before: those of an organization wait for each other', async () => {
    const gate = new Gate();
    const first = metadata.transaction(async (repositories) => {
      await happen(repositories, ACME, 'job.submitted');
      await gate.pass();
    });
    await gate.reached;
    let isSecondThere = false;
    const second = happen(metadata, ACME, 'job.claimed').then(() => {
      isSecondThere = true;
    });
    await until('the second entry waits for the first', async () => {
      const waiting = await deployment.administer(
        `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
        [deployment.metadataDatabase],
      );
      return waiting.length === 1;
    });
    await happen(metadata, BETA, 'job.failed');
    expect(await typesOf(BETA), 'another organization does not wait').to.deep.equal(['job.failed']);
    expect([isSecondThere, await typesOf(ACME)]).to.deep.equal([false, []]);
    gate.open();
    await Promise.all([first, second]);
    expect(await typesOf(ACME)).to.deep.equal(['job.submitted', 'job.claimed']);
  });

  it('are each in the place where readers look on, however many write at once', async () => {
    const seen: string[] = [];
    let after = await metadata.events.latestPosition(BETA);
    const from = after;
    let isWriting = true;
    const writes = Promise.all(
      Array.from({ length: 40 }, () => happen(metadata, BETA, 'job.submitted')),
    ).finally(() => {
      isWriting = false;
    });
    for (let isLast = false; !isLast;) {
      isLast = !isWriting;
      const page = await metadata.events.list(BETA, { after, types: EVENT_TYPES, limit: 7 });
      seen.push(...page.map(({ eventId }) => eventId));
      after = page.at(-1)?.position ?? after;
      if (page.length > 0) isLast = false;
    }
    await writes;
    expect(seen).to.have.length(40);
    expect(await typesOf(BETA, from)).to.have.length(40);
  });

  it('of an organization are found without a walk through those of another that wrote nearly all', async () => {
    // Only the amount matters here: the links of the chain are left out.
    await deployment.metadata(
      `alter table audit_logs disable trigger user;
       insert into audit_logs (org_id, action, entity_type, entity_id, entry_hash)
       select 'acme', 'job.submitted', 'job', gen_random_uuid(), '\\x00' from generate_series(1, 30000);
       alter table audit_logs enable trigger user;
       analyze audit_logs`,
    );
    const plans: string[] = [];
    const explaining = new KnexEventTrail({
      query: async ({ text, values }) => {
        const rows = await executor.query<{ 'QUERY PLAN': string }>({
          text: `explain (analyze, costs off, timing off, summary off) ${text}`,
          values,
          readOnly: false,
        });
        plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
        return [];
      },
    });
    await explaining.latestPosition(QUIET);
    await explaining.list(QUIET, { after: 0, types: EVENT_TYPES, limit: 50 });
    await explaining.list(ACME, { after: 0, types: ['job.failed'], limit: 50 });
    await explaining.listNews(
      new Map([
        [QUIET, 0],
        [BETA, 0],
      ]),
      256,
    );
    expect(plans).to.have.length(4);
    for (const plan of plans) expect(plan, plan).not.to.match(/Removed by Filter|Seq Scan on audit_logs/);
  });
});
