import { expect } from 'chai';
import type { Container } from 'inversify';
import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { OrganizationNotReadyError } from '../../domain/databases/errors.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { startChildService } from '../support/child-service.ts';
import { decorate } from '../support/decorate.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf } from '../support/gate.ts';
import { hookProvisioning } from '../support/provisioning-steps.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';

const ACME = organizationId('acme');
const WITH_ROLES = { DB_ORG_ROLES: 'true', DB_ROLE_SECRET: 'a secret for roles that is long enough' };

describe('putting a database aside', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let container: Container;

  beforeEach(async () => {
    deployment = await createDeployment(WITH_ROLES);
    await deployment.register('acme');
    container = deployment.start();
  });
  afterEach(() => deployment.dispose());

  const jobsOf = async (by: Container): Promise<readonly string[]> => {
    const { database, release } = await by.get(TOKENS.connectionManager).acquire(ACME);
    const { items } = await database.jobs.list(...ALL_JOBS).finally(release);
    return items.map(({ submittedBy }) => submittedBy);
  };
  const write = async (by: Container): Promise<void> => {
    const { database, release } = await by.get(TOKENS.connectionManager).acquire(ACME);
    await database.jobs.insert(sampleJob({ submittedBy: 'acme' })).finally(release);
  };
  const retirements = (): Promise<readonly unknown[]> =>
    deployment.administer(
      `select details from audit_logs where action = 'database.retired'`,
      [],
      deployment.metadataDatabase,
    );
  const putAside = async (): Promise<readonly string[]> =>
    (await deployment.databases()).filter((name) => name.startsWith('retired.'));

  it('takes its claim from a first request that has not begun to make the database', async () => {
    const claimed = new Gate();
    hookProvisioning(container, async (step, proceed) => {
      await proceed();
      if (step === 'claim') await claimed.pass();
    });
    const first = rejectionOf(container.get(TOKENS.connectionManager).acquire(ACME));
    await claimed.reached;
    expect(await deployment.start().get(TOKENS.retireDatabase)(ACME), 'there was none yet').to.equal(null);
    claimed.open();
    expect(await first).to.be.instanceOf(OrganizationNotReadyError);
    // A database under the organization's name that the ledger does not know would stand in the way of the next one.
    expect(await deployment.databases()).to.not.include(deployment.databaseName('acme'));
    expect(await jobsOf(deployment.start()), 'the next request makes one').to.be.empty;
  });

  it('leaves a database alone that the organization got on another server meanwhile', async () => {
    await write(container);
    // One cluster serves as two: no process is started here that would look.
    const template = deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? '';
    const two = deployment.start({ DB_RESULTS_DB_TEMPLATE_EU: template });
    const adoptElsewhere = (): Promise<unknown> =>
      deployment.administer(
        `update organization_databases set server_id = 'eu', stamp = gen_random_uuid(), generation = 2`,
        [],
        deployment.metadataDatabase,
      );
    let looks = 0;
    decorate(two, TOKENS.databaseLedger, (ledger) => ({
      find: async (id) => {
        const record = await ledger.find(id);
        looks += 1;
        // After the look that says which server is locked.
        if (looks === 1) await adoptElsewhere();
        return record;
      },
    }));
    await two.get(TOKENS.useCases).registerServers();
    expect(await rejectionOf(two.get(TOKENS.retireDatabase)(ACME))).to.be.instanceOf(
      OrganizationNotReadyError,
    );
    expect(await two.get(TOKENS.databaseLedger).find(ACME)).to.include({ state: 'ready', generation: 2 });
    expect(await putAside()).to.be.empty;
  });

  describe('kill-9-in-a-retirement-is-finished-under-the-same-name', () => {
    const STOPS = ['before the rename', 'after the rename'] as const;

    /** A retirement in a process that is killed there. */
    const stop = async (moment: (typeof STOPS)[number]): Promise<void> => {
      const child = await startChildService(
        deployment.environment,
        moment === 'after the rename'
          ? { step: 'forget', moment: 'before' }
          : { step: 'quarantine', moment: 'before' },
      );
      try {
        const command = rejectionOf(child.call({ do: 'retire', organizationId: 'acme' }));
        await child.atGate;
        await child.kill();
        expect(await command).to.include({ code: 'exited' });
      } finally {
        await child.kill();
      }
      expect(
        await rejectionOf(deployment.start().get(TOKENS.connectionManager).acquire(ACME)),
      ).to.be.instanceOf(OrganizationNotReadyError);
    };
    const expectRetiredOnce = async (): Promise<void> => {
      const [name, ...others] = await putAside();
      expect(others).to.be.empty;
      expect(await retirements()).to.deep.equal([{ details: { renamed_to: name } }]);
      expect(await jobsOf(deployment.start()), 'an empty one of the next generation').to.be.empty;
      await deployment.administer(`alter database "${name}" with allow_connections true`);
      const kept = await deployment.administer('select from docking_jobs', [], name);
      expect(kept, 'its data').to.have.length(1);
    };

    for (const moment of STOPS) {
      it(`by the same command again, ${moment}`, async () => {
        await write(container);
        await stop(moment);
        const name = await container.get(TOKENS.retireDatabase)(ACME);
        expect(await putAside()).to.deep.equal([name]);
        await expectRetiredOnce();
      });

      it(`by the start of another process, ${moment}`, async () => {
        await write(container);
        await stop(moment);
        const reconcile = async (dryRun: boolean) => {
          const options = { dryRun, quarantineForeign: false, resumeOnly: true };
          return (await container.get(TOKENS.reconcileDatabases)(options)).findings;
        };
        const finding = {
          kind: 'half-retired',
          serverId: 'default',
          database: deployment.databaseName('acme'),
          organizationId: ACME,
        };
        expect(await reconcile(true)).to.deep.equal([{ ...finding, action: 'resumed' }]);
        expect(await reconcile(false)).to.deep.equal([{ ...finding, action: 'resumed' }]);
        expect(await reconcile(false)).to.be.empty;
        await expectRetiredOnce();
      });
    }

    it('and what a new organization has by now is not put aside for it', async () => {
      await write(container);
      await stop('after the rename');
      await container.get(TOKENS.retireDatabase)(ACME);
      await write(deployment.start());
      expect(await container.get(TOKENS.finishRetirement)(ACME)).to.equal(false);
      expect(await jobsOf(deployment.start())).to.deep.equal(['acme']);
    });

    it('and no request that was under way makes the database again', async () => {
      await write(container);
      await stop('after the rename');
      const late = deployment.start();
      // What the request saw before the retirement began.
      decorate(late, TOKENS.databaseLedger, () => ({
        findForAccess: () => Promise.resolve({ status: 'active', record: null }),
      }));
      expect(await rejectionOf(late.get(TOKENS.connectionManager).acquire(ACME))).to.be.instanceOf(
        OrganizationNotReadyError,
      );
      expect(await container.get(TOKENS.databaseLedger).find(ACME)).to.include({ state: 'retiring' });
    });
  });

  it('is of the database that is recorded, also when names come from another template by now', async () => {
    // The names of roles come from there as well: with them, a reconciliation would have to come first.
    await write(deployment.start({ DB_ORG_ROLES: 'false' }));
    const { databaseName } = (await container.get(TOKENS.databaseLedger).find(ACME)) ?? {};
    const url = DatabaseUrl.parse(deployment.environment['DB_DATABASE_URL'] ?? '');
    const settings = {
      DB_ORG_ROLES: 'false',
      DB_RESULTS_DB_TEMPLATE: url.withDatabase(deployment.databaseName('v2_{org_id}')).toString(),
    };
    const renamed = deployment.start(settings);
    expect(await jobsOf(renamed)).to.deep.equal(['acme']);
    await renamed.get(TOKENS.retireDatabase)(ACME);
    expect(await deployment.databases()).to.not.include(databaseName);
    expect(await putAside()).to.have.length(1);
    expect(await jobsOf(deployment.start(settings))).to.be.empty;
    expect(await renamed.get(TOKENS.databaseLedger).find(ACME)).to.include({
      databaseName: deployment.databaseName('v2_acme'),
    });
  });

  it('needs no superuser, whoever is connected', async () => {
    const login = deployment.databaseName('upkeep');
    await deployment.administer(`create role "${login}" login createdb createrole password 'upkeep'`);
    const template = DatabaseUrl.parse(deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? '');
    const limited = deployment.start({
      DB_RESULTS_DB_TEMPLATE: template.withCredentials(login, 'upkeep').toString(),
    });
    const { database, release } = await limited.get(TOKENS.connectionManager).acquire(ACME);
    try {
      await database.jobs.insert(sampleJob());
      const aside = await limited.get(TOKENS.retireDatabase)(ACME);
      expect(await deployment.databases()).to.include(aside);
      const [sessions] = await deployment.administer(
        'select count(*)::int as open from pg_stat_activity where datname = $1',
        [aside],
      );
      expect(sessions).to.deep.equal({ open: 0 });
    } finally {
      release();
    }
  });

  it('is of an organization that there is, and so is adoption: a stranger’s database is left as it was', async () => {
    const source = deployment.databaseName('restored').replace('_r_', '_r.');
    await deployment.administer(`create database "${source}"`);
    const [before] = await deployment.administer('select * from pg_database where datname = $1', [source]);
    const adopt = container.get(TOKENS.adoptDatabase);
    expect(await rejectionOf(adopt(organizationId('nobody'), { from: source }))).to.be.instanceOf(
      OrganizationNotFoundError,
    );
    expect(await deployment.administer('select from pg_tables where schemaname = $1', ['public'], source)).to
      .be.empty;
    const [after] = await deployment.administer('select * from pg_database where datname = $1', [source]);
    expect(after).to.deep.equal(before);
  });
});
