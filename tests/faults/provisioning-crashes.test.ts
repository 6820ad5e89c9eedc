import { expect } from 'chai';
import type { Container } from 'inversify';
import { PROVISIONING_STEPS, type ProvisioningStep } from '../../application/databases/make-database.ts';
import { DatabaseProvisioningError } from '../../domain/exceptions.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { MigrationSource } from '../../infrastructure/migrations/migration-source.ts';
import type { ChildGate } from '../support/child-protocol.ts';
import { startChildService } from '../support/child-service.ts';
import { compiledMigrations } from '../support/compiled-project.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';
import { hookProvisioning, type ProvisioningStep as HookedStep } from '../support/provisioning-steps.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';

const ACME = organizationId('acme');

/** What a child does last before it has done a step. */
const LAST_ACT: Readonly<Record<ProvisioningStep, HookedStep>> = {
  claimed: 'claim',
  cloned: 'clone',
  restricted: 'restrict',
  named: 'adopt',
  completed: 'complete',
};

const WITH_ROLES = { DB_ORG_ROLES: 'true', DB_ROLE_SECRET: 'a secret for roles that is long enough' };

describe('provisioning that is killed or fails', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let migrations: MigrationSource;

  before(async () => {
    migrations = await compiledMigrations();
  });
  beforeEach(async () => {
    deployment = await createDeployment(WITH_ROLES);
    await deployment.register('acme', 'beta');
  });
  afterEach(() => deployment.dispose());

  const startInstance = (settings?: Readonly<Record<string, string>>): Container => {
    const container = deployment.start(settings);
    container.rebind(TOKENS.resultsMigrations).toConstantValue(migrations);
    return container;
  };

  /** Databases apart from the template. */
  const made = async (): Promise<readonly string[]> =>
    (await deployment.databases()).filter((name) => !name.includes('template.'));

  const spareRows = (): Promise<readonly object[]> =>
    deployment.administer('select * from spare_databases', [], deployment.metadataDatabase);

  const pathsTaken = async (): Promise<readonly string[]> => {
    const rows = await deployment.administer<{ path: string }>(
      `select details->>'path' as path from audit_logs where action = 'database.provisioned'`,
      [],
      deployment.metadataDatabase,
    );
    return rows.map(({ path }) => path);
  };

  const killAfter = (step: ProvisioningStep): Promise<void> =>
    killAt({ step: LAST_ACT[step], moment: 'after' });

  const killAt = async (gate: ChildGate): Promise<void> => {
    const child = await startChildService(deployment.environment, gate);
    try {
      const request = rejectionOf(child.call({ do: 'read', organizationId: 'acme' }));
      await child.atGate;
      await child.kill();
      expect(await request).to.include({ code: 'exited' });
    } finally {
      await child.kill();
    }
  };

  const expectAnotherInstanceFinishes = async (): Promise<void> => {
    const container = startInstance();
    const { database, release } = await container.get(TOKENS.connectionManager).acquire(ACME);
    try {
      expect((await database.jobs.list(...ALL_JOBS)).items).to.be.empty;
      const job = await database.jobs.insert(sampleJob());
      const { items } = await database.jobs.list(...ALL_JOBS);
      expect(items.map(({ jobId }) => jobId)).to.deep.equal([job?.jobId]);
    } finally {
      release();
    }
    expect(await container.get(TOKENS.databaseLedger).find(ACME)).to.include({
      state: 'ready',
      lastError: null,
      generation: 1,
    });
    expect(await made()).to.deep.equal([deployment.databaseName('acme')]);
    expect(await spareRows()).to.be.empty;
    expect(await pathsTaken(), 'audited once').to.have.length(1);
  };

  describe('kill-9-between-create-and-migrate-is-resumed-by-another-instance', () => {
    const STATE_LEFT: Readonly<Record<ProvisioningStep, string>> = {
      claimed: 'provisioning',
      cloned: 'provisioning',
      restricted: 'provisioning',
      named: 'provisioning',
      completed: 'ready',
    };

    for (const step of PROVISIONING_STEPS) {
      it(`kill-9-between-create-and-migrate-is-resumed-by-another-instance: after "${step}"`, async () => {
        await killAfter(step);
        const [left] = await deployment.administer(
          'select state from organization_databases',
          [],
          deployment.metadataDatabase,
        );
        expect(left).to.deep.equal({ state: STATE_LEFT[step] });
        await expectAnotherInstanceFinishes();
      });
    }

    for (const step of ['claimed', 'named', 'completed'] as const) {
      it(`kill-9-between-create-and-migrate-is-resumed-by-another-instance: with a spare, after "${step}"`, async () => {
        const builder = startInstance({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' });
        await builder.get(TOKENS.spareKeeper).refill();
        expect(await spareRows()).to.have.length(1);
        await killAfter(step);
        await expectAnotherInstanceFinishes();
      });
    }
  });

  for (const moment of [
    { step: 'build template', moment: 'after' },
    { step: 'seal template', moment: 'before' },
    { step: 'seal template', moment: 'after' },
  ] as const) {
    it(`kill-9-while-the-template-is-built-leaves-none-that-is-not-whole: ${moment.moment} "${moment.step}"`, async () => {
      await killAt(moment);
      const complete = moment.moment === 'after' && moment.step === 'seal template';
      expect((await deployment.databases()).map((name) => name.split('.')[0])).to.deep.equal([
        complete ? 'template' : 'build',
      ]);
      await expectAnotherInstanceFinishes();
    });
  }

  it('a mark of readiness that a crash of the server undid is made again, and nothing written is lost', async () => {
    await startInstance({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' }).get(TOKENS.spareKeeper).refill();
    const before = await deployment.administer<{ spare: object }>(
      `update spare_databases set state = 'claimed' returning to_jsonb(spare_databases) as spare`,
      [],
      deployment.metadataDatabase,
    );
    await deployment.administer(
      `update spare_databases set state = 'ready'`,
      [],
      deployment.metadataDatabase,
    );
    const { database, release } = await startInstance().get(TOKENS.connectionManager).acquire(ACME);
    const job = await database.jobs.insert(sampleJob()).finally(release);
    expect(await pathsTaken()).to.deep.equal(['spare']);

    // All but the audit entry, which nothing but a crash can take back.
    await deployment.administer(
      `with spare as (insert into spare_databases select (jsonb_populate_record(null::spare_databases, $1)).*)
       update organization_databases set state = 'provisioning', schema_version = null`,
      [before[0]?.spare],
      deployment.metadataDatabase,
    );
    const other = await startInstance().get(TOKENS.connectionManager).acquire(ACME);
    const { items } = await other.database.jobs.list(...ALL_JOBS).finally(other.release);
    expect(items.map(({ jobId }) => jobId)).to.deep.equal([job?.jobId]);
    expect(await startInstance().get(TOKENS.databaseLedger).find(ACME)).to.include({
      state: 'ready',
      generation: 1,
    });
    expect(await pathsTaken()).to.deep.equal(['spare', 'resume']);
    expect(await spareRows()).to.be.empty;
  });

  it('a failure that is reported late does not undo what another process brought to ready', async () => {
    await expectAnotherInstanceFinishes();
    const ledger = startInstance().get(TOKENS.databaseLedger);
    const record = await ledger.find(ACME);
    if (record === null) throw new Error('there is no record');
    await ledger.fail(record, 'late');
    expect(await ledger.find(ACME)).to.include({ state: 'ready', lastError: null });
  });

  describe('migration-fails-midway-tenant-failed-then-repaired-without-hand-work', () => {
    it('migration-fails-midway-tenant-failed-then-repaired-without-hand-work: the template is dropped, and dropped again', async () => {
      const container = startInstance();
      let dropped = 0;
      hookProvisioning(container, async (step, proceed) => {
        if (step === 'clone' && dropped < 2) {
          dropped += 1;
          const { databaseName } = await defaultServer(container).template.ready();
          await deployment.administer(`drop database "${databaseName}"`);
        }
        await proceed();
      });
      const ledger = container.get(TOKENS.databaseLedger);
      const manager = container.get(TOKENS.connectionManager);
      expect(await rejectionOf(manager.acquire(ACME))).to.be.instanceOf(DatabaseProvisioningError);
      const failed = await ledger.find(ACME);
      expect(failed).to.include({ state: 'failed' });
      expect(failed?.lastError).to.match(/there is no template/);
      await expectAnotherInstanceFinishes();
    });

    it('migration-fails-midway-tenant-failed-then-repaired-without-hand-work: a migration breaks while the template is built', async () => {
      const container = startInstance();
      // What the last statements of the first migration make stands there already: it fails after the others.
      let broken = 0;
      hookProvisioning(container, async (step, proceed, name) => {
        await proceed();
        if (step !== 'build template') return;
        broken += 1;
        if (broken !== 1) return;
        // It is closed until it is the service's alone.
        await deployment.administer(`alter database "${name}" with allow_connections true`);
        await deployment.administer('create table input_signatures (id int)', [], name);
      });
      const ledger = container.get(TOKENS.databaseLedger);
      const manager = container.get(TOKENS.connectionManager);
      expect(await rejectionOf(manager.acquire(ACME))).to.be.instanceOf(DatabaseProvisioningError);
      expect(broken).to.equal(1);
      expect(
        (await deployment.databases()).filter((name) => name.includes('template.')),
        'nothing unfinished under the final name',
      ).to.be.empty;
      const failed = await ledger.find(ACME);

      await expectAnotherInstanceFinishes();
      const other = await manager.acquire(organizationId('beta'));
      other.release();
      expect(failed, 'what operators saw meanwhile').to.include({ state: 'failed' });
      expect(failed?.lastError).to.match(/already exists/);
    });
  });
});
