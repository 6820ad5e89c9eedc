import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';

const CLONES = 4;

describe('the clones of a process', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment();
  });
  afterEach(() => deployment.dispose());

  /** How many clones the server was at, at most, while so many processes made `CLONES` of them together. */
  const mostAtOnce = async (processes: number): Promise<number> => {
    const containers = Array.from({ length: processes }, () => deployment.start());
    const [first] = containers;
    if (first === undefined) throw new Error('no process');
    const { databaseName } = await first.get(TOKENS.resultsTemplate).ready();
    let cloning = true;
    let most = 0;
    const looking = (async () => {
      while (cloning) {
        const [row] = await deployment.administer<{ count: number }>(
          `select count(*)::int as count from pg_stat_activity
           where state = 'active' and starts_with(query, 'create database') and strpos(query, $1) > 0`,
          [databaseName],
        );
        most = Math.max(most, row?.count ?? 0);
      }
    })();
    await Promise.all(
      Array.from({ length: CLONES }, (_, index) => {
        const name = deployment.databaseName(`clone-${processes}-${index}`);
        const server = (containers[index % processes] ?? first).get(TOKENS.resultsServer);
        return server.exclusively(name, (session) => session.clone(databaseName, name));
      }),
    );
    cloning = false;
    await looking;
    return most;
  };

  it('are made one after another', async () => {
    expect(await mostAtOnce(1)).to.equal(1);
  });

  it('do not wait for those of another process, and are seen to overlap there', async () => {
    expect(await mostAtOnce(2)).to.equal(2);
  });
});
