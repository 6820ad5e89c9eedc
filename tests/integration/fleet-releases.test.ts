import { expect } from 'chai';
import knex, { type Knex } from 'knex';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import type { MigrationSource } from '../../infrastructure/migrations/migration-source.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { asRelease, createReleases, historyOf, provisionAll, type Releases } from '../support/fleet.ts';
import { defaultServer } from '../support/servers.ts';

const RUN = { only: null, canaries: 0, waveSize: { percent: 100 }, errorBudget: { count: 0 } } as const;

describe('a new release', function () {
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
      {
        name: 'add_notes',
        up: `await knex.raw('create table notes (note text)')`,
        down: `await knex.raw('drop table notes')`,
      },
    ]);
  });
  after(() => releases.dispose());
  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme', 'beta', 'gamma');
  });
  afterEach(() => deployment.dispose());

  const start = (version: number, settings: Readonly<Record<string, string>> = {}): Container =>
    asRelease(deployment.start(settings), releases.release(version));

  const withKnex = async <Result>(
    id: string,
    migrationSource: MigrationSource,
    work: (database: Knex) => Promise<Result>,
  ): Promise<Result> => {
    const url = DatabaseUrl.parse(deployment.environment['DB_DATABASE_URL'] ?? '');
    const connection = url.withDatabase(deployment.databaseName(id)).toString();
    const instance = knex({
      client: 'pg',
      connection,
      pool: { min: 0, max: 1 },
      migrations: { migrationSource },
    });
    try {
      return await work(instance);
    } finally {
      await instance.destroy();
    }
  };

  it('has its own template and spares, beside those of the release before, and touches neither', async () => {
    const spares = { DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' };
    const old = start(releases.base, spares);
    await old.get(TOKENS.spareKeeper).refill();
    const next = start(releases.base + 2, spares);
    const [before, after] = await Promise.all([
      defaultServer(old).template.ready(),
      defaultServer(next).template.ready(),
    ]);
    expect(after.hash).not.to.equal(before.hash);
    expect(after.schemaVersion).to.equal(before.schemaVersion + 2);

    await provisionAll(next, ['acme']);
    await next.get(TOKENS.spareKeeper).refill();
    await provisionAll(next, ['beta']);
    await provisionAll(old, ['gamma']);
    for (const id of ['acme', 'beta'])
      expect(await historyOf(deployment, id)).to.have.length(releases.base + 2);
    expect(await historyOf(deployment, 'gamma')).to.have.length(releases.base);
    expect((await next.get(TOKENS.fleetOperator).plan(RUN)).items).to.deep.equal([
      {
        organizationId: 'gamma',
        wave: 1,
        urgent: false,
        fromVersion: releases.base,
        toVersion: releases.base + 2,
      },
    ]);
    expect(
      (await next.get(TOKENS.fleetChecks).drift(null)).drifted,
      'clones are as migrations make them',
    ).to.deep.equal([]);
  });

  it("gives organizations' roles what it adds, and no right to change it", async () => {
    const roles = { DB_ORG_ROLES: 'true', DB_ROLE_SECRET: 'a secret for roles that is long enough' };
    await provisionAll(start(releases.base, roles), ['acme']);
    const next = start(releases.newest, roles);
    await next.get(TOKENS.fleetOperator).run(RUN, { concurrency: 1 });
    const group = defaultServer(next).logins?.groupRole ?? '';
    const [rights] = await deployment.administer(
      `select has_table_privilege($1, 'notes', 'insert') as insert, has_table_privilege($1, 'notes', 'truncate') as truncate`,
      [group],
      deployment.databaseName('acme'),
    );
    expect(rights).to.deep.equal({ insert: true, truncate: false });
  });

  it('agrees with Knex on what is applied, whichever of the two applied it', async () => {
    await provisionAll(start(releases.base), ['acme', 'beta']);
    const next = start(releases.newest);
    const source = releases.release(releases.newest);
    await next
      .get(TOKENS.fleetOperator)
      .run({ ...RUN, only: new Set([organizationId('acme')]) }, { concurrency: 1 });
    const [, none] = await withKnex<[number, string[]]>('acme', source, (database) =>
      database.migrate.latest(),
    );
    expect(none).to.deep.equal([]);
    const [, [, rolledBack]] = [
      null,
      await withKnex<[number, string[]]>('acme', source, (database) => database.migrate.rollback()),
    ];
    expect(rolledBack, 'one run is one batch').to.have.length(2);

    const [, applied] = await withKnex<[number, string[]]>('beta', source, (database) =>
      database.migrate.latest(),
    );
    expect(applied).to.have.length(2);
    const { status } = await next
      .get(TOKENS.fleetOperator)
      .run({ ...RUN, only: new Set([organizationId('beta')]) }, { concurrency: 1 });
    expect(status?.counts).to.include({ done: 1, failed: 0 });
    expect(await historyOf(deployment, 'beta')).to.have.length(releases.newest);
  });
});
