import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { HttpService } from '../support/http-service.ts';
import { defaultServer } from '../support/servers.ts';

describe('The first request after a start', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;

  beforeEach(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha']);
    await deployment.register('alpha');
  });
  afterEach(async () => {
    await service.close();
    await deployment.dispose();
  });

  it('finds the template that the start has built, although reconciling came before the keeper of spares', async () => {
    const { databaseName } = await defaultServer(service.container).template.ready();
    const reconcile = service.container.get(TOKENS.reconcileDatabases);

    expect(await reconcile({ dryRun: false, quarantineForeign: false })).to.deep.equal({
      findings: [],
      unreachable: [],
    });

    expect(await deployment.databases()).to.include(databaseName);
    const reply = await service.as(deployment.token('alpha', ['member'])).get('/jobs');
    expect(reply.status, reply.text).to.equal(200);
  });
});
