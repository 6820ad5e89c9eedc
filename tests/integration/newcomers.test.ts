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
    const log: string[] = [];
    hookProvisioning(container, async (step, proceed) => {
      if (step === 'claim') log.push('begin');
      await proceed();
      if (step === 'complete') log.push('end');
    });
    await Promise.all(NEWCOMERS.map(use));
    expect(log).to.deep.equal(NEWCOMERS.flatMap(() => ['begin', 'end']));
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
