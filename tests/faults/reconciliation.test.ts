import { expect } from 'chai';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { Finding } from '../../infrastructure/provisioning/reconciler.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { sampleJob } from '../support/sample-job.ts';

const ACME = organizationId('acme');

const countJobs = async (container: Container): Promise<number> => {
  const lease = await container.get(TOKENS.connectionManager).acquire(ACME);
  try {
    return (await lease.database.jobs.list({ status: null }, { limit: 10, after: null })).items.length;
  } finally {
    lease.release();
  }
};

const writeJob = async (container: Container): Promise<void> => {
  const lease = await container.get(TOKENS.connectionManager).acquire(ACME);
  try {
    await lease.database.jobs.insert(sampleJob());
  } finally {
    lease.release();
  }
};

const reconcile = (container: Container, dryRun = false): Promise<readonly Finding[]> =>
  container.get(TOKENS.reconciler).reconcile({ dryRun, quarantineForeign: false });

describe('reconciling server and ledger', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme');
  });
  afterEach(() => deployment.dispose());

  const inMetadata = (sql: string): Promise<readonly unknown[]> => {
    const url = new URL(deployment.environment['DB_DATABASE_URL'] ?? '');
    return deployment.administer(sql, [], url.pathname.slice(1));
  };

  it('finds nothing where all is well', async () => {
    const container = deployment.start();
    await writeJob(container);
    expect(await reconcile(container)).to.deep.equal([]);
  });

  it('metadata-commit-lost-orphan-database-found-and-quarantined', async () => {
    const container = deployment.start();
    await writeJob(container);
    await container.get(TOKENS.connectionManager).closeAll();
    await inMetadata('delete from organization_databases');
    const next = deployment.start();

    const foreseen = await reconcile(next, true);
    const before = await deployment.databases();
    expect(foreseen.map(({ kind, action }) => [kind, action])).to.deep.equal([['orphan', 'quarantined']]);
    expect(before).to.include(deployment.databaseName('acme'));

    await reconcile(next);
    const aside = (await deployment.databases()).find((name) => name.startsWith('orphan.')) ?? '';
    expect(await deployment.databases()).not.to.include(deployment.databaseName('acme'));
    expect(
      await deployment.administer('select datallowconn from pg_database where datname = $1', [aside]),
    ).to.deep.equal([{ datallowconn: false }]);

    await next.get(TOKENS.custodian).adopt(ACME, aside);
    expect(await countJobs(next)).to.equal(1);
  });

  it('database-dropped-behind-our-back-is-reported-not-recreated-empty', async () => {
    const container = deployment.start();
    await writeJob(container);
    await deployment.administer(`drop database "${deployment.databaseName('acme')}" with (force)`);

    const [finding] = await reconcile(container);
    expect(finding).to.deep.include({ kind: 'missing', action: 'reported' });
    const refusal = await countJobs(container).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refusal).to.have.property('code', 'database_unavailable');
    expect(await deployment.databases()).not.to.include(deployment.databaseName('acme'));
    const record = await container.get(TOKENS.databaseLedger).find(ACME);
    expect(record).to.have.property('lastError').that.includes('missing');
  });

  it('recreated-org-id-does-not-see-old-data-or-old-pool', async () => {
    const [old, other] = [deployment.start(), deployment.start()];
    await writeJob(old);
    expect(await countJobs(old)).to.equal(1);

    const aside = await other.get(TOKENS.custodian).retire(ACME);
    expect(await countJobs(other)).to.equal(0);
    // The pool of the first process knows another stamp: refused at most once, then opened anew.
    const seen = await countJobs(old).catch(() => countJobs(old));
    expect(seen).to.equal(0);
    expect((await other.get(TOKENS.databaseLedger).find(ACME))?.generation).to.equal(2);
    expect(await deployment.databases()).to.include(aside);
  });

  it('leaves a foreign database alone, and the organization gets a clear error', async () => {
    const name = deployment.databaseName('acme');
    await deployment.administer(`create database "${name}"`);
    const container = deployment.start();

    const findings = await reconcile(container);
    expect(findings.map(({ kind, action }) => [kind, action])).to.deep.equal([['foreign', 'reported']]);
    const refusal = await countJobs(container).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refusal).to.have.property('code', 'database_provisioning_failed');
    expect(
      await deployment.administer('select datname from pg_database where datname = $1', [name]),
    ).to.have.length(1);
  });

  it('drops a spare that is on no book, and finishes what was half made', async () => {
    const container = deployment.start();
    await container.get(TOKENS.resultsTemplate).ready();
    const { resultsTemplate: urls } = container.get(TOKENS.config).database;
    const stray = urls.internalName('spare.0123456789ab');
    await deployment.administer(`create database "${stray}"`);
    await inMetadata(
      `insert into organization_databases (org_id, database_name) values ('acme', '${deployment.databaseName('acme')}')`,
    );

    const findings = await reconcile(container);
    expect(findings.map(({ kind, action }) => [kind, action])).to.have.deep.members([
      ['half-made', 'resumed'],
      ['stale-spare', 'dropped'],
    ]);
    expect(await deployment.databases()).not.to.include(stray);
    expect(await countJobs(container)).to.equal(0);
  });
});
