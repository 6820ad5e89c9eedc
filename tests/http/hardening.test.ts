import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { listen } from '../../infrastructure/http-server/http-server.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { PROBLEM_FIELDS, type Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { captureLog, type LogEntry } from '../support/captured-log.ts';
import { lockTable } from '../support/server-faults.ts';
import { until } from '../support/gate.ts';
import { send } from '../support/send.ts';

const HEADERS_TIMEOUT_MS = 300;
const REQUEST_TIMEOUT_MS = 600;
const IDLE_SOCKET_TIMEOUT_MS = 2000;

interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** All that came, further answers included. */
  readonly text: string;
  readonly ms: number;
}

/** Sends bytes as they are, and reads until the server hangs up. */
const sendRaw = (url: string, bytes: string, { failOnReset = false } = {}): Promise<RawReply> =>
  new Promise((resolve, reject) => {
    const since = performance.now();
    const { hostname, port } = new URL(url);
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes, 'latin1'));
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (failOnReset || (error.code !== 'ECONNRESET' && error.code !== 'EPIPE')) reject(error);
    });
    socket.on('close', () => {
      const [head = '', body = ''] = text.split('\r\n\r\n');
      const [statusLine = '', ...lines] = head.split('\r\n');
      resolve({
        status: Number(statusLine.split(' ')[1] ?? 0),
        headers: Object.fromEntries(
          lines.map((line) => [
            line.slice(0, line.indexOf(':')).toLowerCase(),
            line.slice(line.indexOf(':') + 2),
          ]),
        ),
        body,
        text,
        ms: performance.now() - since,
      });
    });
  });

describe('The server against hostile clients', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let log: readonly LogEntry[];

  before(async () => {
    deployment = await createDeployment();
    const container = deployment.start();
    log = captureLog(container);
    service = await HttpService.over(deployment, container, [], {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 50,
      idleSocketTimeout: IDLE_SOCKET_TIMEOUT_MS,
    });
    await deployment.register('alpha');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const expectProblem = (reply: RawReply, status: number, code: string): Problem => {
    expect([reply.status, reply.headers['content-type']], reply.body).to.deep.equal([
      status,
      'application/problem+json; charset=utf-8',
    ]);
    expect(reply.headers['connection']).to.equal('close');
    expect(Number(reply.headers['content-length'])).to.equal(Buffer.byteLength(reply.body));
    const problem: Problem = JSON.parse(reply.body);
    expect(problem).to.have.all.keys(...PROBLEM_FIELDS);
    expect(problem).to.include({ status, code, request_id: reply.headers['x-request-id'] });
    return problem;
  };

  const malformed: Readonly<Record<string, string>> = {
    'no HTTP at all': 'GARBAGE CANARY\r\n\r\n',
    'another protocol': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc',
    'a version that nobody knows': 'GET /health HTTP/7.3\r\nHost: x\r\n\r\n',
    'a method that nobody knows': 'CANARY /health HTTP/1.1\r\nHost: x\r\n\r\n',
    'a header without a name': 'GET /health HTTP/1.1\r\nHost: x\r\n: CANARY\r\n\r\n',
    'a control character in a header': 'GET /health HTTP/1.1\r\nHost: x\r\nX-A: CAN\x01ARY\r\n\r\n',
    'a folded header': 'GET /health HTTP/1.1\r\nHost: x\r\nX-A : CANARY\r\n\r\n',
    'a length that is no number': 'POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Length: CANARY\r\n\r\n',
    'two lengths': 'POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'a length beside chunks (request smuggling)':
      'POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a transfer coding after chunked':
      'POST /auth/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
  };
  for (const [what, bytes] of Object.entries(malformed)) {
    it(`answers ${what} with 400 as a problem, and hangs up`, async () => {
      const reply = await sendRaw(service.url, bytes);
      expectProblem(reply, 400, 'malformed_request');
      expect(reply.body).not.to.include('CANARY');
    });
  }

  it('answers headers of more than 16 KiB with 431', async () => {
    const header = `X-Padding: ${'x'.repeat(17 * 1024)}`;
    const reply = await sendRaw(service.url, `GET /health HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`);
    expectProblem(reply, 431, 'headers_too_large');
    const many = Array.from({ length: 3000 }, (_, n) => `a${n}:b`).join('\r\n');
    expectProblem(
      await sendRaw(service.url, `GET /health HTTP/1.1\r\nHost: x\r\n${many}\r\n\r\n`),
      431,
      'headers_too_large',
    );
  });

  it('drops no header in silence, however many fit', async () => {
    const token = deployment.token('alpha', ['member']);
    const many = Array.from({ length: 2500 }, () => 'a:b').join('\r\n');
    const reply = await sendRaw(
      service.url,
      `GET /jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n${many}\r\nX-Org-Id: beta\r\n\r\n`,
    );
    expect(reply.status, 'the last header counts').to.equal(403);
  });

  it('answers a body of more than 1 MiB with 413 without reading it, chunked or announced', async () => {
    const head =
      'POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n';
    const announced = await sendRaw(service.url, `${head}Content-Length: 99999999999\r\n\r\n{"email":`);
    expect(announced.status).to.equal(413);
    const chunk = `${(64 * 1024).toString(16)}\r\n${'x'.repeat(64 * 1024)}\r\n`;
    const chunked = await sendRaw(
      service.url,
      `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}0\r\n\r\n`,
      { failOnReset: true },
    );
    expect(chunked.status).to.equal(413);
  });

  it('goes on serving the connection of a body that was too large, or that nobody wanted', async () => {
    const token = deployment.token('alpha', ['worker']);
    const chunk = `${(64 * 1024).toString(16)}\r\n${'x'.repeat(64 * 1024)}\r\n`;
    const chunked = `Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(24)}0\r\n\r\n`;
    const next = 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    for (const [line, headers, status] of [
      ['POST /auth/token', 'Content-Type: application/json\r\n', 413],
      ['POST /jobs', 'Content-Type: application/json\r\n', 401],
      ['POST /jobs', `Authorization: Bearer ${token}\r\nContent-Type: text/plain\r\n`, 403],
    ] as const) {
      const reply = await sendRaw(service.url, `${line} HTTP/1.1\r\nHost: x\r\n${headers}${chunked}${next}`);
      expect(reply.status, line).to.equal(status);
      expect(reply.text, 'the second answer').to.match(/HTTP\/1\.1 200 OK[^]*\{"status":"ok"\}$/);
    }
  });

  it('lets a client read the answer to a body that was too large, although the connection ends with it', async () => {
    const body = 'x'.repeat(5 * 1024 * 1024);
    const head =
      'POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n';
    const reply = await sendRaw(service.url, `${head}Content-Length: ${body.length}\r\n\r\n${body}`, {
      failOnReset: true,
    });
    expect([reply.status, reply.headers['connection']]).to.deep.equal([413, 'close']);
  });

  it('does nothing of what stands behind the answer that ends a connection', async () => {
    const asked: (string | undefined)[] = [];
    const server = await listen(
      ({ url }, response) => {
        asked.push(url);
        response.writeHead(413, { Connection: 'close' }).end('early');
      },
      '127.0.0.1',
      0,
    );
    const first = `POST /first HTTP/1.1\r\nHost: x\r\nContent-Length: ${2 ** 20}\r\n\r\n${'x'.repeat(2 ** 20)}`;
    const { text } = await sendRaw(server.url, `${first}POST /second HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(asked).to.deep.equal(['/first']);
    expect(text.match(/HTTP\/1\.1/g)).to.have.length(1);
    await server.close();
  });

  it('answers the first request of a connection that was on its way when the stop began', async () => {
    const server = await listen((_, response) => response.end('served'), '127.0.0.1', 0);
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname, () => socket.write('GET / HTTP/1.1\r\nHo'));
    await once(socket, 'connect');
    // By then the server has taken the one before as well.
    await send(server.url, 'GET', '/');
    const closed = server.close();
    socket.write('st: x\r\n\r\n');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).to.match(/^HTTP\/1\.1 200 [^]*served$/);
    await closed;
  });

  it('answers a request without a host with 400, as every error', async () => {
    const reply = await sendRaw(service.url, 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n');
    const problem: Problem = JSON.parse(reply.body);
    expect(reply.status).to.equal(400);
    expect(problem).to.include({ status: 400, code: 'malformed_request' });
    expect(reply.headers['x-request-id']).to.equal(problem.request_id);
    const older = await sendRaw(service.url, 'GET /health HTTP/1.0\r\n\r\n');
    expect(older.status).to.equal(200);
  });

  it('answers headers that do not come in time with 408', async () => {
    for (const bytes of ['GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ', 'G']) {
      const reply = await sendRaw(service.url, bytes);
      expectProblem(reply, 408, 'request_timeout');
      expect(reply.ms).to.be.within(HEADERS_TIMEOUT_MS - 50, 5000);
    }
  });

  it('answers a body that does not come in time with 408, under the id of its request', async () => {
    const reply = await sendRaw(
      service.url,
      'POST /auth/token HTTP/1.1\r\nHost: x\r\nX-Request-Id: slow-body\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"em',
    );
    expectProblem(reply, 408, 'request_timeout');
    expect(reply.headers['x-request-id']).to.equal('slow-body');
    expect(reply.ms).to.be.within(REQUEST_TIMEOUT_MS - 50, 5000);
  });

  it('leaves a whole request its answer when garbage follows it', async () => {
    const token = deployment.token('alpha', ['member']);
    const first = await service.as(token).get('/jobs');
    expect(first.status).to.equal(200);
    const lock = await lockTable(deployment, deployment.databaseName('alpha'), 'docking_jobs');
    let reply: Promise<RawReply>;
    try {
      reply = sendRaw(
        service.url,
        `GET /jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\nGARBAGE\r\n\r\n`,
      );
      await reply;
    } finally {
      await lock.release();
    }
    // Cut rather than answered with what belongs to another request.
    expect((await reply).status).to.equal(0);
    await until('the lease is given back', () => leases() === 0);
  });

  it('gives the lease back of a client that hangs up in the middle', async () => {
    const token = deployment.token('alpha', ['member']);
    const lock = await lockTable(deployment, deployment.databaseName('alpha'), 'docking_jobs');
    try {
      const abort = new AbortController();
      const pending = send(service.url, 'GET', '/jobs', { token, signal: abort.signal });
      await until('the request holds its lease', () => leases() === 1);
      abort.abort();
      await pending.catch(() => undefined);
    } finally {
      await lock.release();
    }
    await until('the lease is given back', () => leases() === 0);
  });

  it('hangs up on who asks and does not read the answers', async () => {
    const { hostname, port } = new URL(service.url);
    const before = log.length;
    const asked = 'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(30);
    const socket = connect(Number(port), hostname, () => socket.write(asked));
    socket.on('error', () => undefined);
    // More than all buffers on the way hold: the server cannot get rid of the rest.
    socket.pause();
    try {
      await until('an answer is given up', () =>
        log.slice(before).some(({ fields }) => 'status' in fields && fields.status === 499),
      );
    } finally {
      socket.destroy();
    }
  });

  it('logs each refusal once, without what was sent, and counts it', async () => {
    const before = log.length;
    await sendRaw(service.url, 'GARBAGE CANARY\r\n\r\n');
    const entries = log.slice(before);
    expect(entries.map(({ level, message }) => [level, message])).to.deep.equal([
      ['info', 'request refused'],
    ]);
    expect(entries[0]?.fields).to.include({ status: 400, code: 'malformed_request', route: 'unmatched' });
    expect(JSON.stringify(log)).not.to.include('CANARY');
    const { text } = await service.call('GET', '/metrics');
    expect(text).to.match(
      /mad_http_request_duration_seconds_count\{method="unknown",route="unmatched",status="400"\} \d+/,
    );
  });

  const leases = (): number => service.container.get(TOKENS.connectionManager).counts().leases;
});
