import { expect } from 'chai';
import type { Container } from 'inversify';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { DatabaseConnectionManager } from '../../infrastructure/routing/database-connection-manager.ts';
import { replaceManager } from '../support/custom-manager.ts';
import { withOverrides } from '../support/decorate.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';
import { terminateBackends } from '../support/server-faults.ts';

const ACME = organizationId('acme');

describe('a database that was made again, where organizations have roles', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment({
      DB_ORG_ROLES: 'true',
      DB_ROLE_SECRET: 'a secret for roles that is long enough',
    });
    await deployment.register('acme');
  });
  afterEach(() => deployment.dispose());

  const managerOf = (container: Container): DatabaseConnectionManager =>
    container.get(TOKENS.connectionManager);

  const jobsOf = async (manager: DatabaseConnectionManager): Promise<readonly string[]> => {
    const { database, release } = await manager.acquire(ACME);
    const { items } = await database.jobs.list(...ALL_JOBS).finally(release);
    return items.map(({ submittedBy }) => submittedBy);
  };
  const write = async (manager: DatabaseConnectionManager, submittedBy: string): Promise<void> => {
    const { database, release } = await manager.acquire(ACME);
    await database.jobs.insert(sampleJob({ submittedBy })).finally(release);
  };
  const roleOfRecord = async (container: Container): Promise<string> => {
    const record = await container.get(TOKENS.databaseLedger).find(ACME);
    return defaultServer(container).logins?.loginFor(record?.stamp ?? '').user ?? '';
  };

  /** What a client sees that asks again after each refusal. */
  const answersWithin = async (
    manager: DatabaseConnectionManager,
    attempts: number,
  ): Promise<readonly (readonly string[])[]> => {
    const answers: (readonly string[])[] = [];
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      await jobsOf(manager).then(
        (jobs) => void answers.push(jobs),
        (error: unknown) => expect(error).to.be.instanceOf(DatabaseConnectionError),
      );
    }
    return answers;
  };

  it('remade-database-is-found-although-the-old-role-is-refused: retired, and made again by another process', async () => {
    const old = managerOf(deployment.start());
    await write(old, 'of the first');
    const other = deployment.start();
    await other.get(TOKENS.retireDatabase)(ACME);
    await write(managerOf(other), 'of the second');

    const answers = await answersWithin(old, 3);
    expect(answers).to.not.be.empty;
    for (const jobs of answers) expect(jobs).to.deep.equal(['of the second']);
  });

  it('remade-database-is-found-although-the-old-role-is-refused: adopted in place, and its old role is gone', async () => {
    const container = deployment.start();
    const old = managerOf(container);
    await write(old, 'user-1');
    const name = deployment.databaseName('acme');
    const role = await roleOfRecord(container);
    await deployment.start().get(TOKENS.adoptDatabase)(ACME);
    await terminateBackends(deployment, name);
    expect(await deployment.administer('select from pg_roles where rolname = $1', [role])).to.be.empty;
    await until('the old connections are gone', () => old.counts().connections === 0);

    const answers = await answersWithin(old, 3);
    expect(answers).to.not.be.empty;
    for (const jobs of answers) expect(jobs).to.deep.equal(['user-1']);
  });

  it('broken-role-is-not-tried-with-every-request', async () => {
    const container = deployment.start();
    const provisioning = container.get(TOKENS.provisioning);
    const server = defaultServer(container);
    let connects = 0;
    let asked = 0;
    const manager = replaceManager(
      container,
      {},
      {
        connect: (...values) => {
          connects += 1;
          return server.connect(...values);
        },
        provisioning: withOverrides(provisioning, {
          find: (...values) => {
            asked += 1;
            return provisioning.find(...values);
          },
        }),
      },
    );
    await write(manager, 'user-1');
    const name = deployment.databaseName('acme');
    const role = await roleOfRecord(container);
    await deployment.administer(`revoke connect on database "${name}" from "${role}"`);
    await terminateBackends(deployment, name);
    await until('the connections are gone', () => manager.counts().connections === 0);
    connects = 0;
    asked = 0;

    for (let request = 0; request < 200; request += 1) {
      expect(await rejectionOf(jobsOf(manager))).to.be.instanceOf(DatabaseConnectionError);
    }
    // Three before the circuit opens, and one after each back-off, which doubles.
    expect(connects, 'logins').to.be.within(3, 12);
    expect(asked, 'looks into the ledger').to.be.within(1, 12);

    await deployment.administer(`grant connect on database "${name}" to "${role}"`);
    await until('it is served again', async () => {
      await container.get(TOKENS.databaseHealth).check();
      return jobsOf(manager).then(
        (jobs) => jobs.length === 1,
        () => false,
      );
    });
  });
});
