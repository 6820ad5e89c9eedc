import { expect } from 'chai';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate } from '../support/gate.ts';
import { hookProvisioning } from '../support/provisioning-steps.ts';
import { defaultServer, overrideServers } from '../support/servers.ts';

/** After this the next one no longer waits for one whose turn it is. */
const PATIENCE_MS = 250;
const NEWCOMERS = ['ada', 'bob', 'cyd', 'dan'];

describe('new organizations', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let container: Container;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register(...NEWCOMERS);
    // Made ahead: the process that makes it takes longer.
    await defaultServer(deployment.start()).template.ready();
    container = deployment.start();
  });
  afterEach(() => deployment.dispose());

  const use = async (id: string): Promise<void> => {
    const { release } = await container.get(TOKENS.connectionManager).acquire(organizationId(id));
    release();
  };

  it('that come together get their databases one after another', async () => {
    const underWay = new Set<number>();
    const overtaken: number[] = [];
    let turns = 0;
    overrideServers(container, (server) => ({
      welcome: (work) =>
        server.welcome(async () => {
          const begunAt = performance.now();
          for (const earlier of underWay) overtaken.push(begunAt - earlier);
          underWay.add(begunAt);
          turns += 1;
          try {
            return await work();
          } finally {
            underWay.delete(begunAt);
          }
        }),
    }));
    await defaultServer(container).template.ready();
    await Promise.all(NEWCOMERS.map(use));
    expect(turns).to.equal(NEWCOMERS.length);
    // On a slow machine a turn may last for longer than the others have patience for.
    for (const lastedMs of overtaken) expect(lastedMs).to.be.at.least(PATIENCE_MS - 1);
  });

  it('do not wait for one whose making is held up', async () => {
    const gate = new Gate();
    hookProvisioning(container, async (step, proceed, name) => {
      if (step === 'adopt' && name === deployment.databaseName('ada')) await gate.pass();
      await proceed();
    });
    const stuck = use('ada');
    await gate.reached;
    await use('bob');
    gate.open();
    await stuck;
  });
});
