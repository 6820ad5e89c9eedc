import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';
import { hookProvisioning } from '../support/provisioning-steps.ts';
import { defaultServer } from '../support/servers.ts';

const ACME = organizationId('acme');

describe('No organization is given a database without tables', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme');
  });
  afterEach(() => deployment.dispose());

  const tablesOf = async (databaseName: string): Promise<number> => {
    const [row] = await deployment.administer<{ tables: number }>(
      `select count(*)::int as tables from information_schema.tables where table_schema = 'public'`,
      [],
      databaseName,
    );
    return row?.tables ?? 0;
  };
  const named = async (kind: string): Promise<readonly string[]> =>
    (await deployment.databases()).filter((name) => name.startsWith(`${kind}.`));
  /** As another process leaves it that has just begun to build there. */
  const replaceByEmptyOne = async (name: string): Promise<void> => {
    const [found] = await deployment.administer<{ comment: string | null }>(
      `select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1`,
      [name],
    );
    await deployment.administer(`drop database "${name}" with (force)`);
    await deployment.administer(`create database "${name}" template template0`);
    await deployment.administer(`comment on database "${name}" is '${(found?.comment ?? '').slice(0, 41)}'`);
  };

  it('when two processes build the template at once, and no lock keeps them apart', async () => {
    const container = deployment.start();
    let interfered = 0;
    hookProvisioning(container, async (step, proceed) => {
      if (step === 'seal template' && interfered++ === 0) {
        for (const name of await named('build')) await replaceByEmptyOne(name);
      }
      await proceed();
    });
    const manager = container.get(TOKENS.connectionManager);

    expect(await rejectionOf(manager.provision(ACME))).to.be.instanceOf(Error);
    expect(interfered).to.equal(1);
    expect(await named('template'), 'nothing empty is the template').to.deep.equal([]);
    await manager.provision(ACME);
    expect(await tablesOf(deployment.databaseName('acme'))).to.be.greaterThan(4);
    expect(await named('build'), 'what was left is gone').to.deep.equal([]);
  });

  it('when the template lost its migrations: it is made once there is a template again', async () => {
    const container = deployment.start();
    const manager = container.get(TOKENS.connectionManager);
    const { databaseName: template } = await defaultServer(container).template.ready();
    await replaceByEmptyOne(template);

    expect(await rejectionOf(manager.provision(ACME))).to.be.instanceOf(Error);
    const record = await container.get(TOKENS.databaseLedger).find(ACME);
    expect(record).to.deep.include({ state: 'failed', schemaVersion: null });
    expect(record?.lastError).to.match(/lacks migrations/);
    expect(await deployment.databases(), 'the copy is gone').to.deep.equal([template]);

    await deployment.administer(`drop database "${template}"`);
    await manager.provision(ACME);
    expect(await tablesOf(deployment.databaseName('acme'))).to.be.greaterThan(4);
  });

  it('when a spare was copied from such a template', async () => {
    const container = deployment.start({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' });
    const { databaseName: template } = await defaultServer(container).template.ready();
    await replaceByEmptyOne(template);

    expect(await rejectionOf(container.get(TOKENS.spareKeeper).refill())).to.be.instanceOf(Error);
    expect(await deployment.metadata(`select from spare_databases where state = 'ready'`)).to.deep.equal([]);
  });
});
