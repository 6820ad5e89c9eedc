import { expect } from 'chai';
import type { Container } from 'inversify';
import { DatabaseError, DatabaseProvisioningError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { parseServerId } from '../../domain/databases/server.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { ensureDatabase } from '../../infrastructure/postgres/ensure-database.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';
import { SecondServer } from '../support/second-server.ts';
import { hookProvisioning, type ProvisioningStep } from '../support/provisioning-steps.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { terminateBackends } from '../support/server-faults.ts';

const ACME = organizationId('acme');
const BETA = organizationId('beta');
const EU = parseServerId('eu');

describe('adoption of a database', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let container: Container;

  beforeEach(async () => {
    deployment = await createDeployment({
      DB_ORG_ROLES: 'true',
      DB_ROLE_SECRET: 'a secret for roles that is long enough',
    });
    await deployment.register('acme', 'beta');
    container = deployment.start();
  });
  afterEach(() => deployment.dispose());

  const write = async (id: OrganizationId, submittedBy: string): Promise<void> => {
    const { database, release } = await deployment.start().get(TOKENS.connectionManager).acquire(id);
    await database.jobs.insert(sampleJob({ submittedBy })).finally(release);
  };
  const jobsOf = async (id: OrganizationId): Promise<readonly string[]> => {
    const { database, release } = await deployment.start().get(TOKENS.connectionManager).acquire(id);
    const { items } = await database.jobs.list(...ALL_JOBS).finally(release);
    return items.map(({ submittedBy }) => submittedBy);
  };
  const adopt = (id: OrganizationId, from?: string): Promise<unknown> =>
    deployment.start().get(TOKENS.adoptDatabase)(id, { from });
  const retire = async (id: OrganizationId): Promise<string> =>
    (await container.get(TOKENS.retireDatabase)(id)) ?? '';

  const tablesOf = (databaseName: string): Promise<readonly unknown[]> =>
    deployment.administer(
      `select relname, relacl::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`,
      [],
      databaseName,
    );

  it('adoption-of-another-organizations-database-is-refused', async () => {
    await write(ACME, 'acme');
    const aside = await retire(ACME);

    const error = await rejectionOf(adopt(BETA, aside));
    expect(error).to.be.instanceOf(DatabaseProvisioningError);
    expect(String(error)).to.include('the organization "acme"');
    expect(await jobsOf(BETA), 'an empty one of its own').to.be.empty;
    expect(await container.get(TOKENS.adoptDatabase)(ACME, { from: aside })).to.deep.equal({
      databaseName: deployment.databaseName('acme'),
      formerly: 'its own',
    });
    expect(await jobsOf(ACME)).to.deep.equal(['acme']);
  });

  it('a database that lies under the name of another organization is not put aside with that one', async () => {
    await write(ACME, 'acme');
    await write(BETA, 'beta');
    const [acme, beta] = [deployment.databaseName('acme'), deployment.databaseName('beta')];
    const moves = [
      [acme, `${acme}.moved`],
      [beta, acme],
    ] as const;
    for (const [from, to] of moves) {
      await terminateBackends(deployment, from);
      await deployment.administer(`alter database "${from}" rename to "${to}"`);
    }
    expect(String(await rejectionOf(retire(ACME)))).to.include('the organization "beta"');
    for (const [from, to] of moves.toReversed())
      await deployment.administer(`alter database "${to}" rename to "${from}"`);
    expect(await jobsOf(BETA)).to.deep.equal(['beta']);
    expect(await jobsOf(ACME)).to.deep.equal(['acme']);
  });

  it('adoption-of-what-is-no-organizations-is-refused, before anything is changed there', async () => {
    const owner = deployment.start({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' });
    await owner.get(TOKENS.spareKeeper).refill();
    const internal = (await deployment.databases()).filter((name) => /^(?:spare|template)\./.test(name));
    expect(internal).to.have.length(2);
    const family = deployment.databaseName('').replace(/_$/, '');
    const renamed = `retired.0a0b0c0d0e0f.${family}`;
    await deployment.administer(
      `alter database "${internal.find((name) => name.startsWith('spare.'))}" rename to "${renamed}"`,
    );
    // The next check would drop it, whoever had it meanwhile.
    const checked = `check.0a0b0c0d0e0f.${family}`;
    await deployment.administer(`create database "${checked}"`);
    const sources = [deployment.metadataDatabase, 'postgres', 'template1', ...internal, renamed, checked];
    const before = await Promise.all(sources.slice(0, 3).map(tablesOf));

    for (const source of sources) {
      const error = await rejectionOf(adopt(ACME, source));
      expect(error, source).to.be.instanceOf(DatabaseError);
    }
    expect(await Promise.all(sources.slice(0, 3).map(tablesOf))).to.deep.equal(before);
    expect(await container.get(TOKENS.databaseLedger).find(ACME)).to.equal(null);
  });

  it('of a database on another server than the organization has one on is refused until that is retired', async () => {
    const second = await SecondServer.start();
    try {
      const url = DatabaseUrl.parse(second.url);
      const template = url.withDatabase(deployment.databaseName('{org_id}')).toString();
      const start = deployment.start({ DB_RESULTS_DB_TEMPLATE_EU: template });
      await start.get(TOKENS.useCases).registerServers();
      const source = 'restored';
      await ensureDatabase(url.withDatabase(source));
      await write(ACME, 'acme');
      const adoptThere = () => start.get(TOKENS.adoptDatabase)(ACME, { from: source, serverId: EU });

      const error = await rejectionOf(adoptThere());
      expect(error).to.be.instanceOf(DatabaseProvisioningError);
      expect(String(error)).to.include('on the server "default"');
      expect(await jobsOf(ACME)).to.deep.equal(['acme']);

      await retire(ACME);
      expect(await adoptThere()).to.include({ formerly: 'nobody' });
      const record = await start.get(TOKENS.databaseLedger).find(ACME);
      expect(record).to.include({ serverId: 'eu', state: 'ready' });
      await deployment.stop();
    } finally {
      await second.remove();
    }
  });

  describe('adoption-that-stops-half-way-is-finished-never-replaced-by-an-empty-database', () => {
    const RESTORED = (): string => `${deployment.databaseName('')}restored`.replace('_r_', '_r.');

    /** A database with data that an operator restored under a name of its own. */
    const restore = async (): Promise<string> => {
      await write(ACME, 'of the dump');
      const aside = await retire(ACME);
      await deployment.administer(`alter database "${aside}" with allow_connections true`);
      await deployment.administer(`comment on database "${aside}" is null`);
      await deployment.administer(`alter database "${aside}" rename to "${RESTORED()}"`);
      return RESTORED();
    };
    /** An adoption in a process that ends before (or after) a step. */
    const stopAt = async (
      step: ProvisioningStep,
      moment: 'before' | 'after',
      from?: string,
    ): Promise<void> => {
      const broken = deployment.start();
      hookProvisioning(broken, async (reached, proceed) => {
        if (reached !== step) return proceed();
        if (moment === 'after') await proceed();
        throw new Error('out of luck');
      });
      expect(String(await rejectionOf(broken.get(TOKENS.adoptDatabase)(ACME, { from })))).to.match(
        /out of luck/,
      );
    };
    /** @param strangers roles of before that nothing names any more: a dump does not say whose it was */
    const expectAdoptedOnce = async (strangers = 1): Promise<void> => {
      expect(await jobsOf(ACME)).to.deep.equal(['of the dump']);
      const inMetadata = <Row>(sql: string): Promise<readonly Row[]> =>
        deployment.administer<Row>(sql, [], deployment.metadataDatabase);
      expect(await inMetadata('select from spare_databases')).to.be.empty;
      const audited = await inMetadata<{ details: object }>(
        `select details from audit_logs where action = 'database.provisioned' order by position`,
      );
      expect(audited.at(-1)?.details).to.include({ path: 'adoption' });
      expect(audited).to.have.length(2);
      const [roles] = await deployment.administer<{ count: number }>(
        `select count(*)::int as count from pg_roles where rolname like 'rows.%' and rolcanlogin
           and has_database_privilege(rolname, $1, 'connect')`,
        [deployment.databaseName('acme')],
      );
      expect(roles?.count, 'its own role, and strangers').to.equal(1 + strangers);
    };

    const STOPS = [
      ['restrict', 'before'],
      ['adopt', 'before'],
      ['adopt', 'after'],
    ] as const;
    for (const [step, moment] of STOPS) {
      it(`by the next request, ${moment} "${step}"`, async () => {
        const source = await restore();
        await stopAt(step, moment, source);
        await expectAdoptedOnce();
      });

      it(`by the same command again, ${moment} "${step}"`, async () => {
        const source = await restore();
        await stopAt(step, moment, source);
        await adopt(ACME, source);
        await expectAdoptedOnce();
      });
    }

    it('by the same command again, in place, which keeps the role that the first attempt gave', async () => {
      await write(ACME, 'of the dump');
      await stopAt('complete', 'before');
      await adopt(ACME);
      await expectAdoptedOnce(0);
    });

    it('by a reconciliation, which does not take it for an orphan when it has its name already', async () => {
      await write(ACME, 'of the dump');
      await stopAt('adopt', 'before');
      const reconcile = container.get(TOKENS.reconcileDatabases);
      const { findings } = await reconcile({ dryRun: false, quarantineForeign: true });
      expect(findings.map(({ kind, action }) => `${kind} ${action}`)).to.deep.equal(['half-made resumed']);
      await expectAdoptedOnce(0);
    });

    it('by the next request, in place, and the role of before is gone', async () => {
      await write(ACME, 'of the dump');
      // Before the command itself takes that role away.
      await stopAt('restrict', 'before');
      await expectAdoptedOnce(0);
    });

    it('by the command itself, in place, and the role of before is gone', async () => {
      await write(ACME, 'of the dump');
      await adopt(ACME);
      await expectAdoptedOnce(0);
    });

    it('and its source may be another one at the second attempt, or none', async () => {
      const source = await restore();
      await stopAt('adopt', 'before', source);
      const other = `${source}2`;
      await deployment.administer(`create database "${other}"`);
      await adopt(ACME, other);
      expect(await jobsOf(ACME)).to.be.empty;

      await retire(ACME);
      await stopAt('adopt', 'before', source);
      expect(await container.get(TOKENS.retireDatabase)(ACME), 'nothing has its name').to.equal(null);
      await deployment.start({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' }).get(TOKENS.spareKeeper).refill();
      expect(await deployment.databases(), 'the data is untouched').to.include(source);
    });

    it('and a source that is gone is not made up for', async () => {
      const source = await restore();
      await stopAt('adopt', 'before', source);
      await deployment.administer(`drop database "${source}"`);
      expect(String(await rejectionOf(jobsOf(ACME)))).to.match(/to adopt is gone/);
      expect(await deployment.databases()).to.not.include(deployment.databaseName('acme'));
    });

    it('and two organizations are not given the same one', async () => {
      const source = await restore();
      await stopAt('adopt', 'before', source);
      expect(String(await rejectionOf(adopt(BETA, source)))).to.match(/on its way to another organization/);
      await expectAdoptedOnce();
    });
  });
});
