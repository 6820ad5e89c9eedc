import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { captureLog, type LogEntry } from '../support/captured-log.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { HttpService } from '../support/http-service.ts';
import { lockTable } from '../support/server-faults.ts';

/** More than all buffers between the service and a client that does not read. */
const LARGE_BYTES = 24_000_000;
const STALL_MS = 300;

describe('A connection whose answers nobody reads', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let log: readonly LogEntry[];
  let token: string;
  let largeResults: string;

  before(async () => {
    deployment = await createDeployment();
    const container = deployment.start();
    log = captureLog(container);
    service = await HttpService.over(deployment, container, ['alpha'], { stalledAnswer: STALL_MS });
    await deployment.register('alpha');
    token = deployment.token('alpha', ['member']);
    const { body: job } = await service
      .as(token)
      .post<{ job_id: string }>('/jobs', { engine: 'vina', inputs: { a: 1 } });
    await deployment.administer(
      `insert into task_results (job_id, task_name, service_name, result_data)
       values ($1, 'docking', 'vina', jsonb_build_object('poses', repeat('x', ${LARGE_BYTES})))`,
      [job.job_id],
      deployment.databaseName('alpha'),
    );
    largeResults = `/jobs/${job.job_id}/task-results`;
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const leases = (): number => service.container.get(TOKENS.connectionManager).counts().leases;
  const bytesUnderWay = (): number => service.container.get(TOKENS.httpDependencies).responses.totalBytes;
  const open = async (): Promise<Socket> => {
    const { hostname, port } = new URL(service.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  const ask = (path: string, id: string): string =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  const linesOf = (id: string): readonly LogEntry[] =>
    log.filter(({ fields }) => 'request_id' in fields && fields.request_id === id);

  it('is ended, and all that its answer held is given back, logged and counted once', async () => {
    const socket = await open();
    socket.pause();
    socket.write(ask(largeResults, 'unread'));
    await until('the answer is under way', () => bytesUnderWay() > LARGE_BYTES);
    expect(leases()).to.equal(1);
    await until('the answer is given up', () => leases() === 0);
    expect(bytesUnderWay()).to.equal(0);
    expect(linesOf('unread').map(({ level, message }) => [level, message])).to.deep.equal([
      ['info', 'request finished'],
    ]);
    expect(linesOf('unread')[0]?.fields).to.include({ status: 499, cut: 'stalled' });
    const { text } = await service.call('GET', '/metrics');
    expect(text).to.match(/^mad_http_answers_cut_total\{reason="stalled"\} 1$/m);
    expect(text).to.match(/^mad_http_answers_cut_total\{reason="deadline"\} 0$/m);
    socket.destroy();
  });

  it('does not hurt a client that reads the whole of a large answer', async () => {
    const socket = await open();
    let received = 0;
    socket.on('data', (chunk: Buffer) => (received += chunk.length));
    socket.write(ask(largeResults, 'read'));
    await until('all of it is there', () => received > LARGE_BYTES);
    socket.destroy();
    await until('everything is given back', () => leases() === 0 && bytesUnderWay() === 0);
    expect(linesOf('read')[0]?.fields).to.include({ status: 200 });
  });

  it('has one request served at a time, in their order, and keeps nothing when it ends', async () => {
    const lock = await lockTable(deployment, deployment.databaseName('alpha'), 'docking_jobs');
    const leaving = await open();
    const staying = await open();
    let answers = '';
    staying.setEncoding('utf8').on('data', (text) => (answers += String(text)));
    const pool = () => service.container.get(TOKENS.connectionManager).peek(organizationId('alpha'));
    try {
      for (const socket of [leaving, staying])
        socket.write([1, 2, 3, 4].map((number) => ask('/jobs?limit=1', `ahead-${number}`)).join(''));
      await until('one request of each stands at the table', () => pool()?.inUse === 2);
      // Behind the requests that are ahead on the connections.
      expect((await service.call('GET', '/health')).status).to.equal(200);
      expect(leases()).to.equal(2);
      leaving.destroy();
      await until('the lease of the connection that ended is back', () => leases() === 1);
    } finally {
      await lock.release();
    }
    await until('all four are answered', () => answers.split('X-Request-Id: ').length === 5);
    const ids = [...answers.matchAll(/X-Request-Id: (\S+)/g)].map(([, id]) => id);
    expect(ids).to.deep.equal(['ahead-1', 'ahead-2', 'ahead-3', 'ahead-4']);
    staying.destroy();
    await until('everything is given back', () => leases() === 0 && bytesUnderWay() === 0);
  });

  it('is ended when it sends more requests ahead than anybody would', async () => {
    const lock = await lockTable(deployment, deployment.databaseName('alpha'), 'docking_jobs');
    try {
      const socket = await open();
      const closed = once(socket, 'close');
      socket.write(ask('/jobs', 'flood').repeat(102));
      await closed;
    } finally {
      await lock.release();
    }
    await until('everything is given back', () => leases() === 0 && bytesUnderWay() === 0);
  });
});
