import { expect } from 'chai';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate } from '../support/gate.ts';
import { hookProvisioning } from '../support/provisioning-steps.ts';

const NEWCOMERS = ['ada', 'bob', 'cyd', 'dan'];

describe('new organizations', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let container: Container;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register(...NEWCOMERS);
    container = deployment.start();
    // Made ahead: whoever makes it takes longer.
    await container.get(TOKENS.resultsTemplate).ready();
  });
  afterEach(() => deployment.dispose());

  const use = async (id: string): Promise<void> => {
    const { release } = await container.get(TOKENS.connectionManager).acquire(organizationId(id));
    release();
  };

  it('that come together get their databases one after another', async () => {
    const underWay: number[] = [];
    const overtaken: number[] = [];
    hookProvisioning(container, async (step, proceed) => {
      if (step === 'claim') {
        for (const startedAt of underWay) overtaken.push(performance.now() - startedAt);
        underWay.push(performance.now());
      }
      await proceed();
      if (step === 'complete') underWay.shift();
    });
    await Promise.all(NEWCOMERS.map(use));
    // On a slow machine a turn may last for longer than the others have patience for.
    for (const lastedMs of overtaken) expect(lastedMs).to.be.greaterThan(200);
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
