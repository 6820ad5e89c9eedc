import { expect } from 'chai';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import {
  asRelease,
  createReleases,
  historyOf,
  ledgerVersions,
  provisionAll,
  type Releases,
} from '../support/fleet.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';

const ACME = organizationId('acme');
const BETA = organizationId('beta');

describe('checks of the fleet', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let releases: Releases;
  let old: Container;
  let container: Container;

  before(async () => {
    releases = await createReleases([
      {
        name: 'score',
        up: `
          await knex.raw('alter table docking_jobs add column score double precision');
          await knex.raw('update docking_jobs set score = 1');
          await knex.raw('create table scores (n int)');`,
        down: `
          await knex.raw('drop table scores');
          await knex.raw('alter table docking_jobs drop column score');`,
      },
      {
        name: 'index_score',
        up: `await knex.raw('create index docking_jobs_score_idx on docking_jobs (score)')`,
      },
    ]);
  });
  after(() => releases.dispose());
  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme', 'beta');
    old = asRelease(deployment.start(), releases.release(releases.base));
    await provisionAll(old, ['acme', 'beta']);
    container = asRelease(deployment.start(), releases.release(releases.newest));
  });
  afterEach(() => deployment.dispose());

  const inAcme = (sql: string): Promise<readonly unknown[]> =>
    deployment.administer(sql, [], deployment.databaseName('acme'));

  /** Also when somebody is using the database. */
  const addJob = async (): Promise<void> => {
    const { database, release } = await old.get(TOKENS.connectionManager).acquire(ACME);
    await database.jobs.insert(sampleJob());
    release();
  };

  describe('dry-run-leaves-no-change', () => {
    it('dry-run-leaves-no-change: a copy is migrated, timed and dropped', async () => {
      await addJob();
      const checks = container.get(TOKENS.fleetChecks);
      const before = {
        databases: await deployment.databases(),
        versions: await ledgerVersions(deployment),
        history: await historyOf(deployment, 'acme'),
        drift: (await checks.drift(null)).drifted,
        jobs: await inAcme('select * from docking_jobs'),
      };
      const [rehearsal] = await checks.rehearse([ACME], releases.newest);
      expect(rehearsal).to.include({
        organizationId: 'acme',
        outcome: 'done',
        reason: null,
        fromVersion: releases.base,
        toVersion: releases.newest,
      });
      expect(rehearsal?.copyMs).to.be.greaterThan(0);
      expect(rehearsal?.migrateMs).to.be.greaterThan(0);
      expect(rehearsal?.bytesAfter).to.be.greaterThan(rehearsal?.bytesBefore ?? Infinity);
      // The table that came into being is nobody's to wait for.
      expect(rehearsal?.locks).to.deep.equal([{ table: 'docking_jobs', mode: 'AccessExclusiveLock' }]);
      expect({
        databases: await deployment.databases(),
        versions: await ledgerVersions(deployment),
        history: await historyOf(deployment, 'acme'),
        drift: (await checks.drift(null)).drifted,
        jobs: await inAcme('select * from docking_jobs'),
      }).to.deep.equal(before);
    });

    it('dry-run-leaves-no-change: pools of the organization go on as if nothing had been', async () => {
      await addJob();
      await container.get(TOKENS.fleetChecks).rehearse([ACME], releases.newest);
      const { database, release } = await old.get(TOKENS.connectionManager).acquire(ACME);
      expect((await database.jobs.list(...ALL_JOBS)).items).to.have.length(1);
      release();
    });

    it('dry-run-leaves-no-change: also when the migration fails, whose cause it tells', async () => {
      await inAcme('create table scores ()');
      const before = await deployment.databases();
      const [rehearsal, other, unknown] = await container
        .get(TOKENS.fleetChecks)
        .rehearse([ACME, BETA, organizationId('nobody')], releases.newest);
      expect(rehearsal).to.include({ outcome: 'failed' });
      expect(rehearsal?.reason).to.match(
        /^migration 9001_score: relation "scores" already exists \(42P07\)$/,
      );
      expect(other).to.include({ outcome: 'done' });
      expect(unknown).to.include({
        outcome: 'failed',
        reason: 'the organization has no database in service',
      });
      expect(await deployment.databases()).to.deep.equal(before);
    });

    it('drops what a check that was killed has left', async () => {
      const left = defaultServer(container).names.check('abandoned');
      await deployment.administer(`create database "${left}"`);
      await container.get(TOKENS.fleetChecks).drift(null);
      expect(await deployment.databases()).not.to.include(left);
    });
  });

  describe('manual-ddl-detected-as-drift', () => {
    it('says in words what differs, never in the letters of the system catalogue', async () => {
      await inAcme(`
        alter table docking_jobs enable row level security;
        create unlogged table noted (
          id int generated always as identity, twice int generated always as (1 + 1) stored, kind text default 'x');
        create policy mine on noted as restrictive for select using (true);
        create function nothing() returns trigger language plpgsql as 'begin return null; end';
        create trigger noting after insert on noted for each row execute function nothing();
        alter table noted disable trigger noting;
        create domain score as int check (value > 0);
        create type mood as enum ('calm', 'tense')`);
      const { drifted } = await container.get(TOKENS.fleetChecks).drift(null);
      const found = drifted[0]?.differences.map((each) => [each.object, each.expected, each.found]);
      expect(found?.filter(([object]) => !/function|constraint|sequence/.test(object ?? ''))).to.deep.equal([
        ['column public.noted.id', null, 'integer not null generated always as identity'],
        ['column public.noted.kind', null, "text default 'x'::text"],
        ['column public.noted.twice', null, 'integer generated always as (1 + 1) stored'],
        ['policy public.noted.mine', null, 'restrictive for select using true'],
        ['table public.docking_jobs', '', 'row level security'],
        ['table public.noted', null, 'unlogged'],
        [
          'trigger public.noted.noting',
          null,
          'CREATE TRIGGER noting AFTER INSERT ON public.noted FOR EACH ROW EXECUTE FUNCTION nothing() (disabled)',
        ],
        ['type public.mood', null, "enum 'calm', 'tense'"],
        ['type public.score', null, 'domain over integer CHECK ((VALUE > 0))'],
      ]);
    });

    it('manual-ddl-detected-as-drift: names the organization and each difference', async () => {
      await inAcme(`
        alter table docking_jobs add column by_hand int default 7;
        drop index artifacts_job_id_idx;
        alter table artifacts alter column uri type varchar(300);
        create function by_hand() returns int language sql as 'select 1'`);
      const { checked, drifted, unreadable } = await container.get(TOKENS.fleetChecks).drift(null);
      expect(checked).to.equal(2);
      expect(unreadable).to.deep.equal([]);
      expect(drifted.map(({ organizationId: id, schemaVersion }) => [id, schemaVersion])).to.deep.equal([
        ['acme', releases.base],
      ]);
      expect(drifted[0]?.differences.map(({ kind, object }) => [kind, object])).to.deep.equal([
        ['changed', 'column public.artifacts.uri'],
        ['extra', 'column public.docking_jobs.by_hand'],
        ['extra', 'function public.by_hand()'],
        ['missing', 'index public.artifacts_job_id_idx'],
      ]);
      expect(drifted[0]?.differences[0]).to.include({
        expected: 'text not null',
        found: 'character varying(300) not null',
      });
    });

    it('manual-ddl-detected-as-drift: finds none in databases of several versions, however they came there', async () => {
      const operator = container.get(TOKENS.fleetOperator);
      const run = {
        only: new Set([ACME]),
        canaries: 0,
        waveSize: { percent: 100 },
        errorBudget: { count: 0 },
      };
      await operator.run({ ...run, target: releases.base + 1 }, { concurrency: 1 });
      await operator.rollback({ of: [ACME] }, { concurrency: 1 });
      await operator.run({ ...run, target: releases.base + 1 }, { concurrency: 1 });
      const checks = container.get(TOKENS.fleetChecks);
      expect(await checks.drift(null)).to.deep.equal({ checked: 2, drifted: [], unreadable: [] });
      expect((await checks.drift(new Set([BETA]))).checked).to.equal(1);
    });

    it('names a ledger that disagrees with the history, and databases that cannot be read', async () => {
      await deployment.administer(
        `update organization_databases set schema_version = 0 where org_id = 'acme'`,
        [],
        deployment.metadataDatabase,
      );
      await deployment.administer(`drop database "${deployment.databaseName('beta')}"`);
      await deployment.register('newer');
      const newer = asRelease(deployment.start(), releases.release(releases.newest));
      await provisionAll(newer, ['newer']);
      expect(
        (await old.get(TOKENS.fleetChecks).drift(new Set([organizationId('newer')]))).unreadable[0]?.reason,
      ).to.match(/^it is at schema version \d+, and this release knows \d+$/);
      const { drifted, unreadable } = await container.get(TOKENS.fleetChecks).drift(null);
      expect(drifted[0]?.differences).to.deep.equal([
        {
          kind: 'changed',
          object: 'schema version',
          expected: '0 by the ledger',
          found: `${releases.base} by its history`,
        },
      ]);
      expect(unreadable).to.deep.equal([
        { organizationId: 'beta', reason: 'the database is missing on the server (3D000)' },
      ]);
    });
  });
});
