import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { HttpService } from '../support/http-service.ts';
import { needsProgram } from '../support/programs.ts';

describe('The metrics of a running service', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;

  before(async function () {
    needsProgram(this, 'promtool');
    deployment = await createDeployment();
    service = await HttpService.start(deployment, []);
  });
  after(async () => {
    await service?.close();
    await deployment?.dispose();
  });

  it('have nothing that Prometheus itself objects to', async () => {
    const { text: input } = await service.call('GET', '/metrics');
    const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).to.deep.equal([0, '', '']);
  });
});
