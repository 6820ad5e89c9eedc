import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type {
  DatabaseConnectionManager,
  ManagerCounts,
} from '../../infrastructure/routing/database-connection-manager.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { HttpService } from '../support/http-service.ts';

/** More than all buffers between the service and a client that does not read. */
const RESULT_BYTES = 24_000_000;

describe('A response that takes long to send', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    deployment = await createDeployment({ DB_MAX_POOLS: '1' });
    service = await HttpService.start(deployment, ['alpha']);
    await deployment.register('alpha', 'beta');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const manager = (): DatabaseConnectionManager => service.container.get(TOKENS.connectionManager);
  const counts = (): ManagerCounts => manager().counts();
  /** Asks, and reads nothing. */
  const ask = async (path: string, token: string): Promise<Socket> => {
    const { hostname, port } = new URL(service.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.pause();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    return socket;
  };

  it('streaming-response-holds-its-lease', async () => {
    const member = deployment.token('alpha', ['member']);
    const { body: job } = await service
      .as(member)
      .post<{ job_id: string }>('/jobs', { engine: 'vina', inputs: { a: 1 } });
    // Larger than a request could send it: a page ends at 4 MiB, but holds one row at least.
    await deployment.administer(
      `insert into task_results (job_id, task_name, service_name, result_data)
       values ($1, 'docking', 'vina', jsonb_build_object('poses', repeat('x', ${RESULT_BYTES})))`,
      [job.job_id],
      deployment.databaseName('alpha'),
    );
    for (const end of ['reads', 'leaves'] as const) {
      const socket = await ask(`/jobs/${job.job_id}/task-results`, member);
      await until('the answer is under way', () => counts().leases === 1);
      // Somebody else wants the only place for a pool meanwhile.
      expect((await service.as(deployment.token('beta', ['member'])).get('/jobs')).status).to.equal(200);
      expect(manager().peek(organizationId('alpha')), 'beta has to go, not alpha').to.not.equal(null);
      expect(counts().leases).to.equal(1);

      if (end === 'leaves') socket.destroy();
      else {
        let received = 0;
        socket.on('data', (chunk: Buffer) => (received += chunk.length));
        socket.resume();
        await until('all of it is there', () => received > RESULT_BYTES);
      }
      await until(`the lease is back when the client ${end}`, () => counts().leases === 0);
      socket.destroy();
    }
  });
});
