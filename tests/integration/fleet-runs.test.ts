import { expect } from 'chai';
import type { Container } from 'inversify';
import { FleetCommandError } from '../../application/fleet/fleet-command-error.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { decorate } from '../support/decorate.ts';
import {
  aroundAttempts,
  asRelease,
  createReleases,
  historyOf,
  ledgerVersions,
  provisionAll,
  registerMany,
  type Releases,
} from '../support/fleet.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import { lockTable, openTransaction } from '../support/server-faults.ts';
import { defaultServer, overrideServers } from '../support/servers.ts';

const PLAN = { only: null, canaries: 1, waveSize: { percent: 50 } } as const;
const RUN = { ...PLAN, errorBudget: { count: 0 } } as const;
const WORK = { concurrency: 3 };

describe('a fleet migration', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let releases: Releases;

  before(async () => {
    releases = await createReleases([
      {
        name: 'add_note',
        up: `await knex.raw('alter table docking_jobs add column note text')`,
        down: `await knex.raw('alter table docking_jobs drop column note')`,
      },
    ]);
  });
  after(() => releases.dispose());
  beforeEach(async () => {
    deployment = await createDeployment();
  });
  afterEach(() => deployment.dispose());

  /** A process of the new release. */
  const start = (settings: Readonly<Record<string, string>> = {}): Container =>
    asRelease(deployment.start(settings), releases.release(releases.newest));

  /** Organizations with databases of the old release. */
  const prepare = async (count: number): Promise<readonly string[]> => {
    const ids = await registerMany(deployment, count);
    await provisionAll(asRelease(deployment.start(), releases.release(releases.base)), ids);
    return ids;
  };

  const breakMigrationOf = (id: string): Promise<unknown> =>
    deployment.administer('alter table docking_jobs add column note text', [], deployment.databaseName(id));
  const mendMigrationOf = (id: string): Promise<unknown> =>
    deployment.administer('alter table docking_jobs drop column note', [], deployment.databaseName(id));

  const isMigrated = async (id: string): Promise<boolean> =>
    (await historyOf(deployment, id)).includes(releases.nameOf(releases.newest));

  it('goes canary first, then wave after wave, and leaves ledger and histories in agreement', async () => {
    const ids = await prepare(7);
    const container = start();
    const order: string[] = [];
    aroundAttempts(container, async ({ organizationId: id }, proceed) => {
      await proceed();
      order.push(id);
    });
    const operator = container.get(TOKENS.fleetOperator);
    expect((await operator.plan(PLAN)).waves).to.deep.equal([1, 4, 2]);
    const { status } = await operator.run(RUN, WORK);
    expect(status?.run).to.include({ state: 'finished', kind: 'migrate' });
    expect(status?.counts).to.deep.equal({ pending: 0, running: 0, deferred: 0, done: 7, failed: 0 });
    expect(order[0]).to.equal('org-000');
    expect(new Set(order.slice(1, 5))).to.deep.equal(new Set(ids.slice(1, 5)));
    for (const id of ids) expect(await isMigrated(id)).to.equal(true);
    expect(new Set(Object.values(await ledgerVersions(deployment)))).to.deep.equal(
      new Set([releases.newest]),
    );
    expect((await operator.run(RUN, WORK)).status, 'nothing is left').to.equal(null);
  });

  it('1000-tenants-noop-without-connecting: and 10 000 within five seconds', async () => {
    const container = start();
    let connections = 0;
    overrideServers(container, (server) => ({
      takeSlot: () => {
        connections += 1;
        return server.takeSlot();
      },
    }));
    // Databases that do not exist: whoever looked at one would fail.
    await deployment.administer(
      `with made as (
         insert into organizations (org_id, name) select 'noop-' || n, 'n' from generate_series(1, 10000) n returning org_id
       )
       insert into organization_databases (org_id, database_name, state, stamp, schema_version)
       select org_id, 'nowhere-' || org_id, 'ready', gen_random_uuid(), $1 from made`,
      [releases.newest],
      deployment.metadataDatabase,
    );
    const startedAt = performance.now();
    const { plan, status } = await container.get(TOKENS.fleetOperator).run(RUN, WORK);
    expect(performance.now() - startedAt).to.be.below(5000);
    expect(status).to.equal(null);
    expect(plan.skippedCounts).to.deep.equal({ current: 10_000, ahead: 0, not_ready: 0, no_database: 0 });
    expect(plan.skipped, 'the first of them').to.have.length(1000);
    expect(new Set(plan.skipped.map(({ reason }) => reason))).to.deep.equal(new Set(['current']));
    expect(connections).to.equal(0);
    // Not because nothing is counted.
    await deployment.administer(
      `update organization_databases set schema_version = 0 where org_id = 'noop-1'`,
      [],
      deployment.metadataDatabase,
    );
    await container.get(TOKENS.fleetOperator).run(RUN, WORK);
    expect(connections).to.equal(1);
  });

  it('one-failing-tenant-does-not-stop-fleet: the others are done, and its cause is on record', async () => {
    const ids = await prepare(8);
    await breakMigrationOf('org-003');
    const { status } = await start()
      .get(TOKENS.fleetOperator)
      .run({ ...RUN, errorBudget: { count: 1 } }, WORK);
    expect(status?.run.state).to.equal('finished');
    expect(status?.counts).to.include({ done: 7, failed: 1 });
    expect(status?.failures).to.have.length(1);
    expect(status?.failures[0]).to.include({ organizationId: 'org-003', attempts: 1 });
    expect(status?.failures[0]?.error).to.match(
      /^migration 9001_add_note: column "note" .*already exists \(42701\)$/,
    );
    for (const id of ids) expect([id, await isMigrated(id)]).to.deep.equal([id, id !== 'org-003']);
    const record = await start().get(TOKENS.databaseLedger).find(organizationId('org-003'));
    expect(record).to.include({ state: 'ready', schemaVersion: releases.base });
    expect(record?.lastError).to.match(/42701/);
  });

  it('tries failed organizations again when it is told to, and forgets their errors', async () => {
    await prepare(4);
    await breakMigrationOf('org-002');
    const operator = start().get(TOKENS.fleetOperator);
    await operator.run({ ...RUN, errorBudget: { percent: 50 } }, WORK);
    await mendMigrationOf('org-002');
    const status = await operator.retry(null, WORK);
    expect(status.counts).to.include({ done: 4, failed: 0 });
    expect(status.run.state).to.equal('finished');
    expect(await start().get(TOKENS.databaseLedger).find(organizationId('org-002'))).to.include({
      lastError: null,
      schemaVersion: releases.newest,
    });
    expect(await rejectionOf(operator.retry(null, WORK))).to.be.instanceOf(FleetCommandError);
  });

  it('canary-failure-halts-with-rest-untouched: whatever the error budget', async () => {
    const ids = await prepare(6);
    await breakMigrationOf('org-004');
    const operator = start().get(TOKENS.fleetOperator);
    const { status } = await operator.run(
      { ...RUN, canaries: [organizationId('org-004')], errorBudget: { percent: 100 } },
      WORK,
    );
    expect(status?.run).to.include({ state: 'halted', reason: 'a canary failed', wave: 0 });
    expect(status?.counts).to.include({ pending: 5, failed: 1 });
    for (const id of ids) expect(await isMigrated(id)).to.equal(false);
    expect(await rejectionOf(operator.run(RUN, WORK)), 'it waits for an operator').to.be.instanceOf(
      FleetCommandError,
    );

    const resumed = await operator.resume(WORK);
    expect(resumed.run.state, 'an operator accepts the failure').to.equal('finished');
    expect(resumed.counts).to.include({ done: 5, failed: 1 });
  });

  it('halts when more fail than the error budget takes, and begins no further wave', async () => {
    const ids = await prepare(9);
    for (const id of ['org-001', 'org-002', 'org-003']) await breakMigrationOf(id);
    const operator = start().get(TOKENS.fleetOperator);
    const { status } = await operator.run({ ...RUN, errorBudget: { count: 1 } }, { concurrency: 1 });
    expect(status?.run.state).to.equal('halted');
    expect(status?.run.reason).to.match(/^2 organizations failed, and the error budget is 1$/);
    expect(status?.counts).to.include({ done: 1, failed: 2, running: 0, pending: 6 });
    for (const id of ids.slice(3)) expect(await isMigrated(id)).to.equal(false);
  });

  it('two-runners-share-the-work: each does some, and none is done twice', async () => {
    const ids = await prepare(12);
    const attempts: string[][] = [[], []];
    const bothAtIt = [new Gate(), new Gate()];
    const runs = [0, 1].map(async (which) => {
      const container = start();
      // The one that comes first claims the whole wave. What it cannot give back at once, it gives back later.
      let refusals = 1;
      decorate(container, TOKENS.fleetLedger, (ledger) => ({
        release: async (...given) => {
          if (refusals > 0) throw new Error(`refused ${refusals--} more times`);
          await ledger.release(...given);
        },
      }));
      aroundAttempts(container, async ({ organizationId: id }, proceed) => {
        attempts[which]?.push(id);
        if (id !== 'org-000') {
          // Nobody goes on from the first wave before both have something to do.
          bothAtIt[which]?.open();
          await Promise.all(bothAtIt.map(({ opened }) => opened));
        }
        await proceed();
      });
      return container.get(TOKENS.fleetOperator).run(RUN, { concurrency: 2 });
    });
    const results = await Promise.all(runs);
    for (const { status } of results) expect(status?.run.state).to.equal('finished');
    expect(results[0]?.status?.run.runId).to.equal(results[1]?.status?.run.runId);
    expect(attempts.flat().toSorted()).to.deep.equal(ids);
    for (const of of attempts) expect(of.length).to.be.greaterThan(1);
  });

  it('is not replaced by one that was planned before it began, however soon that comes', async () => {
    await prepare(2);
    const container = start();
    const { items } = await container.get(TOKENS.fleetOperator).plan(PLAN);
    const ledger = container.get(TOKENS.fleetLedger);
    const planned = { kind: 'migrate', targetVersion: 4, wholeFleet: true, errorBudget: 0, items } as const;
    const first = await ledger.begin({ ...planned, replaces: null });
    expect(await ledger.begin({ ...planned, replaces: null })).to.equal(null);
    expect(await ledger.latestRun()).to.deep.include({ runId: first?.runId, state: 'running' });
    // Nobody works on it yet. Who has seen it may do that.
    const second = await ledger.begin({ ...planned, replaces: first?.runId ?? null });
    expect(second?.runId).to.be.greaterThan(first?.runId ?? 0);
  });

  it('renews leases without waiting for a database that is just being reported: that could be a deadlock', async () => {
    const [first] = await prepare(3);
    const ledger = start().get(TOKENS.fleetLedger);
    const plan = await start()
      .get(TOKENS.fleetOperator)
      .plan({ ...PLAN, canaries: 3 });
    const run = await ledger.begin({
      kind: 'migrate',
      targetVersion: plan.items[0]?.toVersion ?? 0,
      wholeFleet: true,
      errorBudget: 0,
      replaces: null,
      items: plan.items,
    });
    if (run === null) throw new Error('the run was not begun');
    const runner = crypto.randomUUID();
    await ledger.claim(run.runId, runner, { serverId: defaultServer(start()).serverId }, 3, 1000);
    const report = await openTransaction(
      deployment,
      deployment.metadataDatabase,
      `select from fleet_items where org_id = '${first}' for update`,
    );
    try {
      await ledger.renew(run.runId, runner, 3_600_000);
    } finally {
      await report.rollBack();
    }
    const renewed = await deployment.metadata<{ readonly org_id: string }>(
      `select org_id from fleet_items where lease_until > now() + interval '1 minute' order by org_id`,
    );
    expect(renewed.map(({ org_id: id }) => id)).to.deep.equal(['org-001', 'org-002']);
  });

  it('lock-timeout-defers-busy-tenant-and-retries: the others do not wait for it', async () => {
    const ids = await prepare(6);
    const container = start({ DB_MIGRATION_LOCK_TIMEOUT_MS: '50' });
    container
      .rebind(TOKENS.fleetRunnerSettings)
      .toConstantValue({ leaseMs: 1500, maxAttempts: 100_000, retryDelayMs: 5 });
    const lock = await lockTable(deployment, deployment.databaseName('org-002'), 'docking_jobs');
    const ledger = container.get(TOKENS.fleetLedger);
    const operator = container.get(TOKENS.fleetOperator);
    const run = operator.run(RUN, WORK);
    try {
      await until(
        'all others are done',
        async () => (await operator.status())?.counts.done === ids.length - 1,
      );
      const { items } = await ledger.listItems(1, { state: null }, { limit: 10, after: 'org-001' });
      expect(items[0]?.organizationId).to.equal('org-002');
      await until('it was put off', async () => {
        const page = await ledger.listItems(1, { state: 'deferred' }, { limit: 10, after: null });
        return /busy.*55P03/.test(page.items[0]?.error ?? '');
      });
    } finally {
      await lock.release();
    }
    const { status } = await run;
    expect(status?.counts).to.include({ done: 6, failed: 0, deferred: 0 });
    const { items } = await ledger.listItems(1, { state: 'done' }, { limit: 10, after: 'org-001' });
    expect(items[0]).to.include({ organizationId: 'org-002', error: null });
    expect(items[0]?.attempts).to.be.greaterThan(1);
    expect(await isMigrated('org-002')).to.equal(true);
  });

  it('gives up a database that stays busy, and says so', async () => {
    await prepare(2);
    const container = start({ DB_MIGRATION_LOCK_TIMEOUT_MS: '10' });
    container
      .rebind(TOKENS.fleetRunnerSettings)
      .toConstantValue({ leaseMs: 1500, maxAttempts: 3, retryDelayMs: 1 });
    const lock = await lockTable(deployment, deployment.databaseName('org-001'), 'docking_jobs');
    try {
      const { status } = await container
        .get(TOKENS.fleetOperator)
        .run({ ...RUN, errorBudget: { count: 1 } }, WORK);
      expect(status?.counts).to.include({ done: 1, failed: 1 });
      expect(status?.failures[0]?.error).to.match(/busy.*given up after 3 attempts/);
    } finally {
      await lock.release();
    }
  });

  it('is paused between two databases, and goes on where it was', async () => {
    const ids = await prepare(6);
    const container = start();
    aroundAttempts(container, async ({ organizationId: id }, proceed) => {
      if (id === 'org-001') await start().get(TOKENS.fleetOperator).pause();
      await proceed();
    });
    const operator = container.get(TOKENS.fleetOperator);
    const { status } = await operator.run(RUN, { concurrency: 1 });
    expect(status?.run).to.include({ state: 'paused', reason: 'paused by an operator' });
    expect(status?.counts).to.include({ running: 0, deferred: 0, failed: 0 });
    expect(status?.counts.pending, 'the next wave').to.be.at.least(2);
    expect(await isMigrated('org-005')).to.equal(false);
    const resumed = await operator.resume(WORK);
    expect(resumed.run.state).to.equal('finished');
    for (const id of ids) expect(await isMigrated(id)).to.equal(true);
  });

  it('leaves the run to others when it is interrupted, with nothing claimed', async () => {
    await prepare(6);
    const container = start();
    const interruption = new AbortController();
    aroundAttempts(container, async (_target, proceed) => {
      interruption.abort();
      await proceed();
    });
    const { status } = await container
      .get(TOKENS.fleetOperator)
      .run(RUN, { concurrency: 2, signal: interruption.signal });
    expect(status?.run.state).to.equal('running');
    expect(status?.counts).to.include({ done: 1, running: 0, pending: 5 });
    expect((await start().get(TOKENS.fleetOperator).run(RUN, WORK)).status?.counts.done).to.equal(6);
  });

  it('takes in organizations that an older release made meanwhile', async () => {
    await prepare(3);
    await deployment.register('late');
    const older = asRelease(deployment.start(), releases.release(releases.base));
    const container = start();
    let made = false;
    aroundAttempts(container, async (_target, proceed) => {
      if (!made) await provisionAll(older, ['late']);
      made = true;
      await proceed();
    });
    const { status } = await container.get(TOKENS.fleetOperator).run(RUN, WORK);
    expect(status?.counts).to.include({ done: 4 });
    expect(await isMigrated('late')).to.equal(true);
  });

  it('says nothing of a database that took the place of the one it worked on', async () => {
    const [id = ''] = await prepare(1);
    const container = start();
    await defaultServer(container).template.ready();
    aroundAttempts(container, async (_, proceed) => {
      await proceed();
      // What the old release's database was found to have is reported when the new one is there.
      await container.get(TOKENS.retireDatabase)(organizationId(id));
      await container.get(TOKENS.connectionManager).provision(organizationId(id));
      await deployment.administer(
        'update organization_databases set schema_version = schema_version + 5',
        [],
        deployment.metadataDatabase,
      );
    });
    await container.get(TOKENS.fleetOperator).run(RUN, WORK);
    expect(await ledgerVersions(deployment)).to.deep.equal({ [id]: releases.newest + 5 });
  });

  it('leaves out what is not ready, and refuses to touch a database with another stamp', async () => {
    await prepare(3);
    await deployment.administer(
      `update organization_databases set state = 'failed' where org_id = 'org-000'`,
      [],
      deployment.metadataDatabase,
    );
    await deployment.administer(
      `comment on database "${deployment.databaseName('org-001')}" is 'mad:somebody'`,
    );
    const { plan, status } = await start()
      .get(TOKENS.fleetOperator)
      .run({ ...RUN, canaries: 0, errorBudget: { count: 1 } }, WORK);
    expect(plan.skipped).to.deep.equal([{ organizationId: 'org-000', reason: 'not_ready' }]);
    expect(status?.failures.map(({ error }) => error)).to.deep.equal([
      'the database carries another stamp than the ledger (mad:somebody)',
    ]);
    expect(await isMigrated('org-001')).to.equal(false);
    expect(await isMigrated('org-002')).to.equal(true);
  });
});
