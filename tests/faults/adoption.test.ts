import { expect } from 'chai';
import type { Container } from 'inversify';
import { DatabaseError, DatabaseProvisioningError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';

const ACME = organizationId('acme');
const BETA = organizationId('beta');

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
    deployment.start().get(TOKENS.custodian).adopt(id, from);
  const retire = async (id: OrganizationId): Promise<string> =>
    (await container.get(TOKENS.custodian).retire(id)) ?? '';

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
    expect(await container.get(TOKENS.custodian).adopt(ACME, aside)).to.deep.equal({
      databaseName: deployment.databaseName('acme'),
      formerly: 'acme',
    });
    expect(await jobsOf(ACME)).to.deep.equal(['acme']);
  });

  it('adoption-of-what-is-no-organizations-is-refused, before anything is changed there', async () => {
    const owner = deployment.start({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' });
    await owner.get(TOKENS.spareKeeper).refill();
    const internal = (await deployment.databases()).filter((name) => /^(?:spare|template)\./.test(name));
    expect(internal).to.have.length(2);
    const renamed = `retired.0a0b0c0d0e0f.${deployment.databaseName('').replace(/_$/, '')}`;
    await deployment.administer(
      `alter database "${internal.find((name) => name.startsWith('spare.'))}" rename to "${renamed}"`,
    );
    const sources = [deployment.metadataDatabase, 'postgres', 'template1', ...internal, renamed];
    const before = await Promise.all(sources.slice(0, 3).map(tablesOf));

    for (const source of sources) {
      const error = await rejectionOf(adopt(ACME, source));
      expect(error, source).to.be.instanceOf(DatabaseError);
    }
    expect(await Promise.all(sources.slice(0, 3).map(tablesOf))).to.deep.equal(before);
    expect(await container.get(TOKENS.databaseLedger).find(ACME)).to.equal(null);
  });
});
