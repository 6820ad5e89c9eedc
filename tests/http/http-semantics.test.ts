import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import { listen, type ListeningServer } from '../../infrastructure/http-server/http-server.ts';
import { answerClientError } from '../../presentation/http/errors/client-error.ts';
import { FakeService } from '../support/fakes/fake-service.ts';
import { Gate, until } from '../support/gate.ts';
import { send } from '../support/send.ts';

const LAB = 'https://lab.example';

describe('An HTTP client', () => {
  const service = new FakeService({ options: { ...new FakeService().options, corsOrigins: [LAB] } });
  let server: ListeningServer;

  before(async () => {
    server = await listen(service.app, '127.0.0.1', 0, {
      answerClientError: answerClientError(service.deps),
    });
  });
  after(() => server.close());

  const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    send<{ readonly code: string; readonly request_id: string }>(server.url, 'GET', path, { headers });

  /** Sends bytes as they are and reads until the server has answered and hung up. */
  const exchange = async (...lines: readonly string[]): Promise<string> => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk) => (answer += String(chunk)));
    socket.write(lines.join('\r\n'));
    await once(socket, 'close');
    return answer;
  };

  it('learns from the challenge whether its token is bad or missing', async () => {
    const challengeOf = async (headers = {}) => (await get('/users/me', headers)).headers['www-authenticate'];
    expect(await challengeOf()).to.equal('Bearer');
    const bad = 'Bearer error="invalid_token"';
    expect(await challengeOf({ authorization: 'Bearer nonsense' })).to.equal(bad);
    expect(await challengeOf({ authorization: 'Bearer' })).to.equal(bad);
    expect(await challengeOf({ authorization: 'Basic YTpi' })).to.equal('Bearer');
  });

  it('gets a problem when it expects what nobody understands', async () => {
    const reply = await get('/health', { expect: 'the-unexpected' });
    expect([reply.status, reply.body.code]).to.deep.equal([417, 'expectation_failed']);
    expect(reply.headers['x-request-id']).to.equal(reply.body.request_id);
  });

  it('gets a problem when its body has a transfer coding beside chunked', async () => {
    for (const coding of ['gzip, chunked', 'Chunked, chunked', 'identity, chunked']) {
      const answer = await exchange(
        'POST /auth/token HTTP/1.1',
        'Host: x',
        `Transfer-Encoding: ${coding}`,
        'Content-Type: application/json',
        'Connection: close',
        '',
        '2\r\n{}\r\n0\r\n\r\n',
      );
      expect(answer, coding).to.match(/^HTTP\/1.1 (?:400|501) /);
      expect(answer, coding).to.match(/"code":"(?:transfer_coding_unsupported|malformed_request)"/);
    }
  });

  it('may end the type of its body in a semicolon, and name parameters', async () => {
    const codeOf = async (type: string) =>
      (
        await send<{ readonly code: string }>(server.url, 'POST', '/auth/token', {
          body: '{}',
          headers: { 'content-type': type },
        })
      ).body.code;
    for (const type of [
      'application/json;',
      'application/json ; charset=utf-8;',
      'Application/JSON;charset="UTF-8"',
      'application/json; profile="a;b"',
    ])
      expect(await codeOf(type), type).to.equal('validation_failed');
    for (const type of [
      'application/jsonp',
      'text/plain; a=application/json',
      'application/json, text/plain',
      ';',
    ])
      expect(await codeOf(type), type).to.equal('unsupported_media_type');
  });

  it('is asked for its body only when somebody will read it', async () => {
    const post = (...headers: readonly string[]) =>
      exchange(
        'POST /organizations HTTP/1.1',
        'Host: x',
        'Expect: 100-continue',
        'Content-Type: application/json',
        'Connection: close',
        ...headers,
        '',
        '',
      );
    expect(await post('Content-Length: 20')).to.match(/^HTTP\/1.1 401 /);
    const token = service.tokens.of(null, 'platform_admin');
    const authorization = `Authorization: Bearer ${token}`;
    expect(await post('Content-Length: 9000', authorization)).to.match(/^HTTP\/1.1 413 /);
    const { hostname, port } = new URL(server.url);
    const sent = request({
      hostname,
      port,
      method: 'POST',
      path: '/organizations',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        expect: '100-continue',
      },
    });
    sent.flushHeaders();
    await once(sent, 'continue');
    sent.end('{"org_id": "asked", "name": "Asked"}');
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).to.equal(201);
  });

  it('of HTTP/1.0 gets no interim response, whatever it expects', async () => {
    const token = service.tokens.of(null, 'platform_admin');
    for (const expected of ['100-continue', 'the-unexpected']) {
      const answer = await exchange(
        'POST /organizations HTTP/1.0',
        `Authorization: Bearer ${token}`,
        `Expect: ${expected}`,
        'Content-Type: application/json',
        'Content-Length: 2',
        '',
        '{}',
      );
      expect(answer, expected).to.match(/^HTTP\/1.1 422 /);
    }
  });

  it('gets no refusal of a later request in the place of an answer that is being made', async () => {
    const login = service.deps.issueToken;
    const gate = new Gate();
    const slow = new FakeService({
      issueToken: async (...args) => {
        await gate.pass();
        return login(...args);
      },
    });
    const slowServer = await listen(slow.app, '127.0.0.1', 0, {
      answerClientError: answerClientError(slow.deps),
    });
    try {
      const { hostname, port } = new URL(slowServer.url);
      const socket = connect(Number(port), hostname);
      let answer = '';
      socket.setEncoding('utf8').on('data', (chunk) => (answer += String(chunk)));
      const head = 'POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
      const body = '{"email":"a@b.example","password":"p"}';
      socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
      await gate.reached;
      socket.write(`${head}Transfer-Encoding: chunked\r\n\r\nno chunk\r\n`);
      await once(socket, 'close');
      expect(answer).to.equal('');
    } finally {
      gate.open();
      await slowServer.close();
    }
  });

  it('keeps the document, the page and settings that are unchanged', async () => {
    const authorization = `Bearer ${service.tokens.of('acme', 'org_admin')}`;
    for (const path of ['/openapi.json', '/docs', '/docs/swagger-ui.css', '/organizations/acme/settings']) {
      const first = await get(path, { authorization });
      expect(first.status, path).to.equal(200);
      const again = await get(path, { authorization, 'if-none-match': String(first.headers['etag']) });
      expect([again.status, again.text], path).to.deep.equal([304, '']);
      expect(again.headers['etag'], path).to.equal(first.headers['etag']);
      const other = await get(path, { authorization, 'if-none-match': '"another"' });
      expect([other.status, other.text], path).to.deep.equal([200, first.text]);
    }
  });

  it('replaces no settings under a condition that says that there must be none', async () => {
    const token = service.tokens.of('acme', 'org_admin');
    const put = (tags: string, theme: string) =>
      send(server.url, 'PUT', '/organizations/acme/settings', {
        token,
        body: { settings: { theme } },
        headers: { 'if-none-match': tags },
      });
    const { headers } = await send(server.url, 'GET', '/organizations/acme/settings', { token });
    expect((await put('*', 'a')).status).to.equal(412);
    expect((await put(`W/${headers['etag']}`, 'a')).status).to.equal(412);
    expect((await put('"99"', 'b')).status).to.equal(200);
  });

  it('gets long texts compressed, and short ones as they are', async () => {
    const encodingOf = async (path: string) => {
      const response = await fetch(`${server.url}${path}`, { headers: { 'accept-encoding': 'gzip' } });
      expect(await response.text()).not.to.equal('');
      return response.headers.get('content-encoding');
    };
    for (const path of ['/openapi.json', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui.css'])
      expect(await encodingOf(path), path).to.equal('gzip');
    for (const path of ['/docs', '/docs/start.js', '/health'])
      expect(await encodingOf(path), path).to.equal(null);
  });

  it('gets files of the page whole, whatever part or condition it names', async () => {
    const path = '/docs/swagger-ui.css';
    const whole = await get(path);
    for (const headers of [
      { range: 'bytes=0-9' },
      { range: 'bytes=99999999-' },
      { 'if-match': '"another"' },
      { 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' },
    ]) {
      const reply = await get(path, headers);
      expect([reply.status, reply.text], JSON.stringify(headers)).to.deep.equal([200, whole.text]);
      expect(reply.headers['cache-control']).to.equal('public, max-age=3600');
      expect(reply.headers).not.to.have.property('accept-ranges');
    }
  });

  it('is led to the page by a browser’s guesses, and told the truth otherwise', async () => {
    const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
    const root = await get('/', browser);
    expect([root.status, root.headers['location']]).to.deep.equal([302, 'console/']);
    const slash = await get('/docs/', browser);
    expect([slash.status, slash.headers['location']]).to.deep.equal([308, '/docs']);
    expect((await get('/', { accept: 'application/json' })).body.code).to.equal('not_found');
    const routes = () => service.observed.slice(-3).map(({ route }) => route);
    await until('the requests are observed', () => routes().join(' ') === '/console /docs unmatched');
  });

  it('on a page of an origin that the operator allows may call the API, and on no other', async () => {
    const preflight = (origin: string) =>
      send(server.url, 'OPTIONS', '/jobs', {
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        },
      });
    const allowed = await preflight(LAB);
    expect(allowed.status).to.equal(204);
    expect(allowed.headers).to.include({ 'access-control-allow-origin': LAB, vary: 'Origin' });
    expect(allowed.headers['access-control-allow-headers']).to.match(/authorization/i);
    expect(allowed.headers).not.to.have.property('access-control-allow-credentials');
    const refused = await preflight('https://evil.example');
    expect(refused.headers['access-control-allow-origin']).to.equal(undefined);
    const failure = await get('/users/me', { origin: LAB });
    expect(failure.headers).to.include({ 'access-control-allow-origin': LAB });
    expect(failure.headers['access-control-expose-headers']).to.contain('X-Request-Id');
  });
});

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
}

describe('A page of an origin that may call the API', () => {
  const service = new FakeService({ options: { ...new FakeService().options, corsOrigins: [LAB] } });

  it('may send every header that a route takes, and read those of files', async () => {
    const { body } = await service.anonymous().get('/openapi.json');
    const taken = Object.values((body as Document).paths)
      .flatMap((operations) => Object.values(operations))
      .flatMap(({ parameters = [] }) => parameters.filter((parameter) => parameter.in === 'header'))
      .map(({ name }) => name.toLowerCase());
    expect(taken).to.include.members(['content-digest', 'x-lease-id']);
    const { headers } = await service
      .anonymous()
      .options('/files')
      .set({ Origin: LAB, 'Access-Control-Request-Method': 'POST' });
    const listed = (name: string): readonly string[] => String(headers[name]).toLowerCase().split(',');
    expect(listed('access-control-allow-headers')).to.include.members([
      ...taken,
      ...['authorization', 'range', 'if-range', 'traceparent'],
    ]);
    const answer = await service.anonymous().get('/health').set('Origin', LAB);
    expect(String(answer.headers['access-control-expose-headers'])).to.contain('Content-Disposition');
  });
});

describe('Without origins that may call it, the API', () => {
  it('says nothing about origins', async () => {
    const { headers } = await new FakeService().anonymous().get('/health').set('Origin', LAB);
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).to.be.empty;
  });
});
