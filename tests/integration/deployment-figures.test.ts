import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';

const MEASURED = { schemaVersion: 3, engines: ['vina'], silentForMs: 120_000 };

describe('The figures of a deployment', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  before(async () => {
    deployment = await createDeployment();
  });
  after(() => deployment.dispose());

  const measure = () => deployment.start().get(TOKENS.deploymentGauge).measure(MEASURED);

  it('are zeros where there is nothing', async () => {
    expect(await measure()).to.deep.equal({
      schemaBehind: 0,
      run: null,
      pass: null,
      orphanedEntriesSeconds: 0,
      jobsWaiting: new Map(),
    });
  });

  it('are counted of what is active, unfinished, silent and waiting', async () => {
    await deployment.register('ahead', 'behind', 'behind-too', 'suspended', 'failed');
    await deployment.metadata(`update organizations set status = 'suspended' where org_id = 'suspended'`);
    await deployment.metadata(
      `insert into organization_databases (org_id, database_name, state, stamp, schema_version)
       select org_id, 'of_' || org_id, state, gen_random_uuid(), version
       from (values ('ahead', 'ready', 3), ('behind', 'ready', 2), ('behind-too', 'ready', 1),
         ('suspended', 'ready', 1), ('failed', 'failed', 1)) as made (org_id, state, version)`,
    );
    await deployment.metadata(
      `insert into fleet_runs (kind, target_version, whole_fleet, state, error_budget)
       values ('migrate', 2, true, 'finished', 0), ('migrate', 3, true, 'halted', 0)`,
    );
    await deployment.metadata(
      `insert into fleet_items (run_id, org_id, wave, state, from_version, to_version)
       values (1, 'ahead', 0, 'failed', 1, 2), (2, 'behind', 0, 'failed', 2, 3), (2, 'behind-too', 1, 'pending', 1, 3),
         (2, 'ahead', 1, 'pending', 2, 3)`,
    );
    await deployment.metadata(
      `insert into reconciler_passes (origin, dry_run, began_at, summary, findings, unreachable)
       values ('start', false, now(), '{"missing": {"reported": 2}}', '[]', '[]')`,
    );
    await deployment.metadata(
      `insert into audit_backlogs (org_id, writer, touched_at) values
         ('ahead', gen_random_uuid(), now() - interval '119 seconds'), ('behind', gen_random_uuid(), now() - interval '1 hour')`,
    );
    await deployment.metadata(
      `insert into work_hints (org_id, engine, version, waiting, next_due_at, served) values
         ('ahead', 'vina', 1, 5, now(), 0), ('behind', 'vina', 2, 2, now(), 0), ('behind', 'secret-1', 3, 1, now(), 0),
         ('ahead', 'secret-2', 4, 3, now(), 0), ('suspended', 'vina', 5, 100, now(), 0), ('failed', 'vina', 6, 0, now(), 0)`,
    );
    const { orphanedEntriesSeconds, ...figures } = await measure();
    expect(figures).to.deep.equal({
      schemaBehind: 2,
      run: { state: 'halted', counts: { pending: 2, running: 0, deferred: 0, done: 0, failed: 1 } },
      pass: { dryRun: false, summary: { missing: { reported: 2 } } },
      jobsWaiting: new Map([
        ['other', 4],
        ['vina', 7],
      ]),
    });
    expect(orphanedEntriesSeconds).to.be.within(3600, 3660);
  });
});
