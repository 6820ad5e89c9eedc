import { connect } from 'node:net';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { HttpService } from '../support/http-service.ts';
import { lockTable } from '../support/server-faults.ts';

describe('A client that goes away', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha']);
    await deployment.register('alpha', 'fresh');
    await service.as(deployment.token('alpha', ['member'])).get('/jobs');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const leases = (): number => service.container.get(TOKENS.connectionManager).counts().leases;
  const body = { engine: 'vina', inputs: { a: 1 } };
  const abortable = (organization: string) => {
    const controller = new AbortController();
    const token = deployment.token(organization, ['member']);
    const ended = service
      .call('POST', '/jobs?use_cache=true', { token, body, signal: controller.signal })
      .then(() => 'answered')
      .catch(() => 'aborted');
    return { abort: () => controller.abort(), ended };
  };

  it('in the middle of a statement leaves no lease, and the pool serves the next', async () => {
    const lock = await lockTable(deployment, deployment.databaseName('alpha'), 'input_signatures');
    const requests = Array.from({ length: 5 }, () => abortable('alpha'));
    await until('all hold a lease', () => leases() === 5);
    for (const { abort } of requests) abort();
    for (const { ended } of requests) expect(await ended).to.equal('aborted');
    await until('the leases are given back', () => leases() === 0);
    await until('and the connections, while the table is still locked', () => {
      const pool = service.container.get(TOKENS.connectionManager).peek(organizationId('alpha'));
      return pool?.inUse === 0;
    });
    await lock.release();

    expect((await service.as(deployment.token('alpha', ['member'])).post('/jobs', body)).status).to.equal(
      201,
    );
    await until('the connections are idle', () => {
      const pool = service.container.get(TOKENS.connectionManager).peek(organizationId('alpha'));
      return pool?.inUse === 0 && pool.waiting === 0;
    });
  });

  it('while its database is being made leaves no lease, and the database is made', async () => {
    const { abort, ended } = abortable('fresh');
    await until('the database is asked for', () => leases() === 1);
    abort();
    expect(await ended).to.equal('aborted');
    await until('the lease is given back', () => leases() === 0);
    expect((await service.as(deployment.token('fresh', ['member'])).get('/jobs')).status).to.equal(200);
  });

  it('in the middle of its body, or of its headers, takes no lease', async () => {
    const { hostname, port } = new URL(service.url);
    const head = [
      'POST /jobs HTTP/1.1',
      'Host: x',
      `Authorization: Bearer ${deployment.token('alpha', ['member'])}`,
      'Content-Type: application/json',
    ];
    for (const text of [
      [...head, 'Content-Length: 1000', '', '{"engine":'].join('\r\n'),
      head.slice(0, 2).join('\r\n'),
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.write(text, () => socket.destroy()));
        socket.on('close', () => resolve());
      });
    }
    expect((await service.call('GET', '/health')).status).to.equal(200);
    expect(leases()).to.equal(0);
  });
});
