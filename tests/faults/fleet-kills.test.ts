import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { startFleetChild, type FleetChild, type FleetGate } from '../support/fleet-child.ts';
import {
  asRelease,
  createReleases,
  historyOf,
  ledgerVersions,
  provisionAll,
  registerMany,
  type Releases,
} from '../support/fleet.ts';
import { until } from '../support/gate.ts';
import { lockTable } from '../support/server-faults.ts';

/** Applied twice, it leaves two rows, whatever the history says. */
const MARK = `
  await knex.raw('create table if not exists marks (at timestamptz default now())');
  await knex.raw('insert into marks default values');
  await knex.raw('alter table docking_jobs add column if not exists note text');
  await knex.raw('alter table docking_jobs add constraint docking_jobs_engine_check check (engine <> \\'broken\\')');
`;

describe('fleet runners that are killed', function () {
  this.timeout(240_000);
  let deployment: Deployment;
  let releases: Releases;
  const children: FleetChild[] = [];

  before(async () => {
    releases = await createReleases([{ name: 'mark', up: MARK }]);
  });
  after(() => releases.dispose());
  beforeEach(async () => {
    deployment = await createDeployment();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await child.kill();
    await deployment.dispose();
  });

  const start = async (
    command: string,
    gate: FleetGate | null = null,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<FleetChild> => {
    const child = await startFleetChild(
      deployment,
      releases,
      ['migrate', ...command.split(' ')],
      gate,
      settings,
    );
    children.push(child);
    return child;
  };

  const prepare = async (count: number): Promise<readonly string[]> => {
    const ids = await registerMany(deployment, count);
    await provisionAll(asRelease(deployment.start(), releases.release(releases.base)), ids);
    return ids;
  };

  const within = <Row>(id: string, sql: string): Promise<readonly Row[]> =>
    deployment.administer<Row>(sql, [], deployment.databaseName(id));

  const marksIn = async (id: string): Promise<number> => (await within(id, 'select from marks')).length;
  const timesInHistory = async (id: string): Promise<number> =>
    (await historyOf(deployment, id)).filter((name) => name === releases.nameOf(releases.newest)).length;

  for (const moment of ['before', 'after'] as const) {
    it(`resume-after-kill-9-no-double-apply: ${moment} the third database`, async () => {
      const ids = await prepare(8);
      const first = await start('run --concurrency 2', { attempt: 3, moment });
      await first.atGate;
      await first.kill();
      expect(Math.max(...Object.values(await ledgerVersions(deployment)))).to.equal(releases.newest);

      const second = await start('run --concurrency 2');
      expect(await second.ended).to.equal(0);
      for (const id of ids) {
        expect([id, await marksIn(id), await timesInHistory(id)]).to.deep.equal([id, 1, 1]);
      }
      expect(new Set(Object.values(await ledgerVersions(deployment)))).to.deep.equal(
        new Set([releases.newest]),
      );
      expect(second.lines.join('\n')).to.match(/Run 1 \(to schema version \d+\) is finished/);
    });
  }

  it('resume-after-kill-9-no-double-apply: in the middle of a transaction', async () => {
    const ids = await prepare(4);
    const lock = await lockTable(deployment, deployment.databaseName('org-002'), 'docking_jobs');
    try {
      const first = await start('run --concurrency 1', null, { DB_MIGRATION_LOCK_TIMEOUT_MS: '60000' });
      await until('the migration waits, after its first statements', async () => {
        const rows = await deployment.administer(
          `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock' and application_name like 'mad migrate %'`,
          [deployment.databaseName('org-002')],
        );
        return rows.length > 0;
      });
      await first.kill();
    } finally {
      await lock.release();
    }
    const second = await start('resume');
    expect(await second.ended).to.equal(0);
    for (const id of ids) {
      expect([id, await marksIn(id), await timesInHistory(id)]).to.deep.equal([id, 1, 1]);
    }
  });

  it('200 databases, killed twice, five broken: 195 migrated once, five reported with their causes', async () => {
    const ids = await prepare(200);
    const broken: Readonly<Record<string, RegExp>> = {
      'org-017': /the database is missing on the server \(3D000\)/,
      'org-058': /constraint "docking_jobs_engine_check" .*is violated by some row \(23514\)/,
      'org-099': /carries another stamp than the ledger \(mad:elsewhere\)/,
      'org-123': /migrations that this release does not know: 9999_by_hand/,
      'org-180': /migration 9001_mark: cannot insert into .*"marks" \(\w{5}\)$/,
    };
    await deployment.administer(`drop database "${deployment.databaseName('org-017')}"`);
    await within(
      'org-058',
      `insert into docking_jobs (job_id, status, engine, pipeline_version, inputs, params, priority, input_signature, submitted_by)
       values (gen_random_uuid(), 'PENDING', 'broken', '1', '{"a": 1}', '{}', 0, repeat('0', 64), 'x')`,
    );
    await deployment.administer(
      `comment on database "${deployment.databaseName('org-099')}" is 'mad:elsewhere'`,
    );
    await within('org-123', `insert into knex_migrations (name, batch) values ('9999_by_hand', 1)`);
    await within('org-180', 'create view marks as select 1 as at');

    const first = await start('run', { attempt: 60, moment: 'after' });
    await first.atGate;
    await first.kill();
    const second = await start('run', { attempt: 60, moment: 'before' });
    await second.atGate;
    await second.kill();
    const last = await start('run');
    expect(await last.ended, 'some failed').to.equal(3);

    const healthy = ids.filter((id) => !(id in broken));
    expect(healthy).to.have.length(195);
    for (const id of healthy) {
      expect([id, await marksIn(id), await timesInHistory(id)]).to.deep.equal([id, 1, 1]);
    }
    const versions = await ledgerVersions(deployment);
    for (const id of healthy) expect([id, versions[id]]).to.deep.equal([id, releases.newest]);
    for (const id of Object.keys(broken)) expect(versions[id]).not.to.equal(releases.newest);

    const output = last.lines.join('\n');
    expect(output).to.match(/^Run 1 \(to schema version \d+\) is finished, after /m);
    expect(output).to.include('195 of 200 organizations done, 5 failed, 0 not yet done');
    for (const [id, cause] of Object.entries(broken)) {
      const line = last.lines.find((text) => text.trimStart().startsWith(id));
      expect(line, id).to.match(cause);
    }
    expect(output).to.include('"migrate retry"');

    const status = await start('status --json');
    expect(await status.ended).to.equal(0);
    const report: { counts: object; failures: { org_id: string }[] } = JSON.parse(status.lines.join('\n'));
    expect(report.counts).to.include({ done: 195, failed: 5 });
    expect(report.failures.map(({ org_id: id }) => id)).to.deep.equal(Object.keys(broken));
  });
});
