import { expect } from 'chai';
import { Client } from 'pg';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { testServer } from '../support/postgres-server.ts';
import { defaultServer } from '../support/servers.ts';

/** As many as a process has administrator's sessions. */
const CLONES = 3;

describe('the clones of a process', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  /** Its lock lets clones begin, and none of them end. */
  let barrier: Client;

  beforeEach(async () => {
    deployment = await createDeployment();
    barrier = new Client((await testServer()).url);
    await barrier.connect();
  });
  afterEach(async () => {
    await barrier.end();
    await deployment.dispose();
  });

  /** Sessions of the deployment that make a clone now, and those that hold the name of one. */
  const look = async (template: string): Promise<{ cloning: number; named: number }> => {
    const names = Array.from({ length: CLONES }, (_, index) => deployment.databaseName(`clone-${index}`));
    const [row] = await deployment.administer<{ cloning: number; named: number }>(
      `select
         (select count(*)::int from pg_stat_activity
          where state = 'active' and starts_with(query, 'create database') and strpos(query, $1) > 0) as cloning,
         (select count(distinct name)::int from pg_locks, unnest($2::text[]) as name
          where locktype = 'advisory' and granted and
            (classid::bigint << 32) + objid::bigint = hashtextextended(name, 0)) as named`,
      [template, names],
    );
    if (row === undefined) throw new Error('no row');
    return row;
  };

  /** Has so many processes make `CLONES` of them together; looks at the server while none can end. */
  const whileCloning = async (
    processes: number,
    observe: (template: string) => Promise<void>,
  ): Promise<void> => {
    const containers = Array.from({ length: processes }, () => deployment.start());
    const [first] = containers;
    if (first === undefined) throw new Error('no process');
    const { databaseName } = await defaultServer(first).template.ready();
    await barrier.query('begin; lock table pg_database in share mode');
    const clones = Array.from({ length: CLONES }, (_, index) => {
      const name = deployment.databaseName(`clone-${index}`);
      const server = defaultServer(containers[index % processes] ?? first);
      return server.exclusively(name, (session) => session.clone(databaseName, name));
    });
    try {
      await observe(databaseName);
    } finally {
      await barrier.query('rollback');
      await Promise.all(clones);
    }
    expect(await deployment.databases()).to.include.members(
      Array.from({ length: CLONES }, (_, index) => deployment.databaseName(`clone-${index}`)),
    );
  };

  it('are made one after another', async () => {
    await whileCloning(1, async (template) => {
      await until('every session is at its clone', async () => (await look(template)).named === CLONES);
      await until('the first clone has begun', async () => (await look(template)).cloning > 0);
      expect(await look(template)).to.deep.equal({ cloning: 1, named: CLONES });
    });
  });

  it('do not wait for those of another process', async () => {
    await whileCloning(2, async (template) => {
      await until('both processes are at one', async () => (await look(template)).cloning >= 2);
      expect((await look(template)).cloning).to.equal(2);
    });
  });
});
