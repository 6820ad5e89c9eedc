import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';

describe('spare databases', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  const ids = Array.from({ length: 6 }, (_, index) => `org${index}`);

  beforeEach(async () => {
    deployment = await createDeployment({ DB_SPARES_MIN: '3', DB_SPARES_MAX: '3' });
    await deployment.register(...ids);
  });
  afterEach(() => deployment.dispose());

  const inMetadata = <Row>(sql: string): Promise<readonly Row[]> => {
    const url = new URL(deployment.environment['DB_DATABASE_URL'] ?? '');
    return deployment.administer<Row>(sql, [], url.pathname.slice(1));
  };
  const spares = async (): Promise<readonly string[]> =>
    (await deployment.databases()).filter((name) => name.startsWith('spare.'));
  const paths = async (): Promise<readonly string[]> => {
    const rows = await inMetadata<{ path: string }>(
      `select details ->> 'path' as path from audit_logs where action = 'database.provisioned' order by 1`,
    );
    return rows.map(({ path }) => path);
  };

  it('two-refillers-do-not-overshoot-and-yield-to-live-demand', async () => {
    const keepers = [deployment.start(), deployment.start()].map((container) =>
      container.get(TOKENS.spareKeeper),
    );
    await Promise.all(keepers.flatMap((keeper) => [keeper.refill(), keeper.refill()]));
    for (const keeper of keepers) await keeper.refill();
    expect(await spares()).to.have.length(3);
  });

  it('concurrent-claims-never-share-a-spare, and empty-spare-pool-falls-back-to-template', async () => {
    const containers = [deployment.start(), deployment.start()];
    await containers[0]?.get(TOKENS.spareKeeper).refill();
    const managers = containers.map((container) => container.get(TOKENS.connectionManager));

    const leases = await Promise.all(
      ids.flatMap((id) => managers.map((manager) => manager.acquire(organizationId(id)))),
    );
    for (const { database, release } of leases) {
      expect((await database.jobs.list({ status: null }, { limit: 1, after: null })).items).to.deep.equal([]);
      release();
    }
    const stamps = await inMetadata<{ stamp: string }>('select distinct stamp from organization_databases');
    expect(stamps).to.have.length(6);
    expect(await paths()).to.deep.equal(['clone', 'clone', 'clone', 'spare', 'spare', 'spare']);
    expect(await spares()).to.deep.equal([]);
  });

  it('stale-spare-is-upgraded-or-retired-before-claim', async () => {
    const container = deployment.start();
    const keeper = container.get(TOKENS.spareKeeper);
    await keeper.refill();
    const stale = await spares();
    await inMetadata(`update spare_databases set template_hash = 'older'`);

    await container.get(TOKENS.connectionManager).provision(organizationId('org0'));
    expect(await paths()).to.deep.equal(['clone']);
    await keeper.refill();
    const fresh = await spares();
    expect(fresh).to.have.length(3);
    expect(fresh.filter((name) => stale.includes(name))).to.deep.equal([]);
  });
});
