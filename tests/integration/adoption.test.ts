import { expect } from 'chai';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';

const ACME = organizationId('acme');

describe('a database that an operator adopts, where organizations have roles', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment({
      DB_ORG_ROLES: 'true',
      DB_ROLE_SECRET: 'a secret for roles that is long enough',
    });
    await deployment.register('acme', 'beta');
  });
  afterEach(() => deployment.dispose());

  const use = async (container: Container, insert: boolean): Promise<number> => {
    const { database, release } = await container.get(TOKENS.connectionManager).acquire(ACME);
    try {
      if (insert) await database.jobs.insert(sampleJob());
      return (await database.jobs.list(...ALL_JOBS)).items.length;
    } finally {
      release();
    }
  };
  const roleOfRecord = async (container: Container): Promise<string> => {
    const record = await container.get(TOKENS.databaseLedger).find(ACME);
    return defaultServer(container).logins?.loginFor(record?.stamp ?? '').user ?? '';
  };
  /** Roles of single databases that may connect to this one. */
  const admitted = async (databaseName: string): Promise<readonly string[]> => {
    const rows = await deployment.administer<{ rolname: string }>(
      `select rolname from pg_roles
       where rolname like 'rows.%' and rolcanlogin and has_database_privilege(rolname, $1, 'connect')`,
      [databaseName],
    );
    return rows.map(({ rolname }) => rolname);
  };
  const roleExists = async (role: string): Promise<boolean> =>
    (await deployment.administer('select from pg_roles where rolname = $1', [role])).length === 1;

  it('belongs to the role of its new stamp alone, and the role of the earlier one is gone', async () => {
    const container = deployment.start();
    await use(container, true);
    const earlier = await roleOfRecord(container);
    const aside = (await container.get(TOKENS.retireDatabase)(ACME)) ?? '';
    expect(await admitted(aside)).to.deep.equal([earlier]);

    await container.get(TOKENS.adoptDatabase)(ACME, { from: aside });

    const today = await roleOfRecord(container);
    expect(today).to.not.equal(earlier);
    expect(await admitted(deployment.databaseName('acme'))).to.deep.equal([today]);
    expect(await roleExists(earlier)).to.equal(false);
    expect(await use(deployment.start(), false)).to.equal(1);
  });

  it('is found by processes that still have the pool of its earlier stamp', async () => {
    const container = deployment.start();
    const another = deployment.start();
    await use(container, true);
    await use(another, true);

    await container.get(TOKENS.adoptDatabase)(ACME);

    for (const process of [container, another]) {
      let jobs: number | null = null;
      await until('it is served again', async () => {
        jobs = await use(process, false).catch(() => null);
        return jobs !== null;
      });
      expect(jobs).to.equal(2);
    }
  });

  it('so is one that was made again after the earlier one was retired', async () => {
    const container = deployment.start();
    const another = deployment.start();
    await use(another, true);
    await container.get(TOKENS.retireDatabase)(ACME);
    expect(await use(container, false)).to.equal(0);
    let jobs: number | null = null;
    await until('it is served again', async () => {
      jobs = await use(another, false).catch(() => null);
      return jobs !== null;
    });
    expect(jobs).to.equal(0);
  });

  it('leaves the role of its earlier stamp alone when that is of another database as well', async () => {
    const container = deployment.start();
    await use(container, true);
    const role = await roleOfRecord(container);
    // What restoring a dump under another name gives: the comment comes with it.
    const name = deployment.databaseName('acme');
    const copy = `copy.${deployment.databaseName('').replace(/_$/, '')}`;
    await deployment.administer(`create database "${copy}"`);
    await deployment.administer(
      `do $$ begin
         execute format('comment on database %I is %L', '${copy}', (
           select shobj_description(oid, 'pg_database') from pg_database
           where datname = '${name}'
         ));
       end $$`,
    );
    await deployment.administer(`grant connect on database "${copy}" to "${role}"`);

    const aside = (await container.get(TOKENS.retireDatabase)(ACME)) ?? '';
    await container.get(TOKENS.adoptDatabase)(ACME, { from: copy });

    expect(await admitted(name))
      .to.have.length(1)
      .and.not.include(role);
    expect(await admitted(aside)).to.deep.equal([role]);
    expect(await use(deployment.start(), true)).to.equal(1);
  });
});
