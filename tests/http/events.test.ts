import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { eventReply } from '../../presentation/http/events/event-schema.ts';
import { captureLog, type LogEntry } from '../support/captured-log.ts';
import { createDeployment, organizationId, TEST_JWT_SECRET, type Deployment } from '../support/deployment.ts';
import { EventClient, type EventPage } from '../support/event-client.ts';
import { until } from '../support/gate.ts';
import type { Job, Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const ORGANIZATIONS = ['alpha', 'beta', 'dormant', 'paused', 'crowded', 'slow'];
const STREAM = { Accept: 'text/event-stream' };

describe('Events over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let log: readonly LogEntry[];
  const clients: EventClient[] = [];
  const sockets: Socket[] = [];

  before(async () => {
    deployment = await createDeployment({ RESPONSE_STALL_MS: '1000' });
    await deployment.register(...ORGANIZATIONS);
    const container = deployment.start();
    log = captureLog(container);
    service = await HttpService.running(container, ORGANIZATIONS);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const socket of sockets.splice(0)) socket.destroy();
    await until('no stream is open', () => openStreams() === 0);
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const openStreams = (): number => service.container.get(TOKENS.eventStreams).count;
  const leases = (): number => service.container.get(TOKENS.connectionManager).counts().leases;
  const member = (organization: string, claims: object = {}): string =>
    deployment.token(organization, ['member'], { ...claims });
  const follow = async (token: string, query = '', url = service.url): Promise<EventClient> => {
    const client = new EventClient(`${url}/events${query}`, token);
    clients.push(client);
    await until(
      () => `the stream is open (answered ${client.statuses.join(', ')})`,
      () => client.isOpen,
    );
    return client;
  };
  /** An entry of the trail, as a write of results leaves one. */
  const happen = async (
    organization: string,
    action: string,
    details: Readonly<Record<string, unknown>> = {},
  ): Promise<void> => {
    const entry = { userId: null, entityType: 'job', entityId: crypto.randomUUID(), requestId: null };
    await service.container
      .get(TOKENS.metadataDatabase)
      .auditLog.append({ organizationId: organizationId(organization), action, details, ...entry });
  };
  const submit = async (organization: string): Promise<string> => {
    const submission = { engine: 'vina', inputs: { ligand: 'CCO' } };
    const { status, body } = await service.as(member(organization)).post<Job>('/jobs', submission);
    expect(status).to.equal(201);
    return body.job_id;
  };
  /** Asks for the events of an organization that has many, and reads nothing. */
  const followUnread = async (url: string, requestId: string): Promise<Socket> => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.pause();
    const head = `Host: x\r\nX-Request-Id: ${requestId}\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${member('slow')}`;
    socket.write(`GET /events HTTP/1.1\r\n${head}\r\n\r\n`);
    return socket;
  };
  const lineOf = (requestId: string): LogEntry | undefined =>
    log.find(({ fields }) => 'request_id' in fields && fields.request_id === requestId);

  it('tell of a job from its submission to its end, as a page and as a stream', async () => {
    const client = await follow(member('alpha'));
    const jobId = await submit('alpha');
    const worker = service.as(deployment.token('alpha', ['worker']));
    for (const status of ['RUNNING', 'COMPLETED'])
      expect((await worker.patch(`/jobs/${jobId}`, { status })).status).to.equal(200);
    await until('the stream has told it', () => client.events.length === 3);
    expect(client.events.map(({ type, job_id: id, status }) => [type, id, status])).to.deep.equal([
      ['job.submitted', jobId, 'PENDING'],
      ['job.moved', jobId, 'RUNNING'],
      ['job.moved', jobId, 'COMPLETED'],
    ]);
    expect(client.ids).to.deep.equal(client.events.map(({ position }) => String(position)));
    for (const event of client.events) expect(eventReply.safeParse(event).error?.message).to.equal(undefined);

    for (const path of ['/events', '/organizations/alpha/events']) {
      const { body } = await service.as(member('alpha')).get<EventPage>(path);
      expect(body.items).to.deep.equal(client.events);
      expect(body.next_after).to.equal(client.events.at(-1)?.position);
    }
    // Nobody else's, and nobody else hears of it.
    expect((await service.as(member('beta')).get<EventPage>('/events')).body.items).to.deep.equal([]);
  });

  it('are asked for in pages from any position on, of some types, and from now on', async () => {
    const { get } = service.as(member('beta'));
    const from = (await get<EventPage>('/events?after=latest')).body;
    expect(from.items).to.deep.equal([]);
    for (const action of ['job.submitted', 'member.removed', 'job.claimed', 'job.failed', 'job.submitted'])
      await happen('beta', action, { error_code: 'no_poses' });
    const seen: string[] = [];
    let after = from.next_after;
    for (;;) {
      const { body } = await get<EventPage>(`/events?after=${after}&types=job.submitted,job.failed&limit=2`);
      if (body.items.length === 0) {
        expect(body.next_after).to.equal(after);
        break;
      }
      seen.push(...body.items.map(({ type }) => type));
      after = body.next_after;
    }
    expect(seen).to.deep.equal(['job.submitted', 'job.failed', 'job.submitted']);
    // Of before the trail was restored: the next position leads on from its end.
    const { body: lost } = await get<EventPage>(`/events?after=${after + 1000}`);
    expect(lost).to.deep.equal({ items: [], next_after: after });
    const client = await follow(member('beta'), `?after=${after + 1000}`);
    await happen('beta', 'job.released');
    await until('it goes on', () => client.types.length > 0);
    expect(client.types).to.deep.equal(['job.released']);
    const { body } = await get<EventPage>('/events?types=job.failed');
    expect(body.items.map(({ error_code: code }) => code)).to.deep.equal(['no_poses']);
    const head = await service.call('HEAD', '/events', { token: member('beta'), headers: STREAM });
    expect([head.status, head.text]).to.deep.equal([200, '']);
  });

  it('go on after a lost connection where they broke off, without a gap and without a repetition', async () => {
    const proxy = await startTcpProxy(service.url);
    try {
      const client = await follow(member('beta'), '?after=latest', `http://${proxy.host}:${proxy.port}`);
      await happen('beta', 'job.submitted');
      await until('the first has come', () => client.events.length === 1);
      expect(proxy.reset()).to.equal(1);
      await happen('beta', 'job.claimed');
      await until('the client is back, and has heard of it', () => client.events.length === 2);
      await happen('beta', 'job.completed');
      await until('it hears of the next one', () => client.events.length === 3);
      expect(client.types).to.deep.equal(['job.submitted', 'job.claimed', 'job.completed']);
      expect(client.attempts).to.deep.equal([null, client.ids[0]]);
      client.close();
    } finally {
      proxy.close();
    }
  });

  it('never open a database, and hold none', async () => {
    const client = await follow(member('dormant'));
    await happen('dormant', 'job.submitted');
    await until('the event has come', () => client.events.length === 1);
    expect((await service.as(member('dormant')).get<EventPage>('/events')).body.items).to.have.length(1);
    expect(leases()).to.equal(0);
    const manager = service.container.get(TOKENS.connectionManager);
    expect(manager.peek(organizationId('dormant'))).to.equal(null);
    expect(await deployment.databases()).not.to.include(deployment.databaseName('dormant'));
  });

  it('end with the token that asked for them', async () => {
    // At least a second: the stream has to open before.
    const exp = Math.floor(Date.now() / 1000) + 2;
    const claims = { sub: 'user-1', org_id: 'alpha', roles: ['member'], exp };
    const token = jwt.sign(claims, TEST_JWT_SECRET, { issuer: 'mad.local', audience: 'mad' });
    const client = await follow(token, '?after=latest');
    await until('the stream has ended', () => !client.isOpen && openStreams() === 0);
    expect(Date.now()).to.be.at.least(exp * 1000);
    client.close();
    expect((await service.as(token).get('/events', STREAM)).status).to.equal(401);
  });

  it('end for a member who is removed, and tell nothing of what happens then', async () => {
    const { users, members } = service.container.get(TOKENS.metadataDatabase);
    const { userId } = await users.ensureUser({
      email: 'leaves@example.org',
      passwordHash: await new Argon2Passwords().hash('correct horse battery staple'),
      platformAdmin: false,
    });
    await members.add(organizationId('alpha'), userId, ['member']);
    const client = await follow(member('alpha', { sub: userId }), '?after=latest');
    const staying = await follow(member('alpha'), '?after=latest');
    const removed = await service.call('DELETE', `/organizations/alpha/members/${userId}`, {
      token: deployment.token('alpha', ['org_admin']),
    });
    expect(removed.status).to.equal(204);
    await until('the stream has ended', () => openStreams() === 1);
    await happen('alpha', 'job.submitted');
    await until('the others hear of it', () => staying.events.length === 1);
    expect(client.events).to.deep.equal([]);
  });

  it('end when the organization is suspended, which is refused like elsewhere', async () => {
    await follow(member('paused'));
    const platform = service.as(deployment.token(null, ['platform_admin']));
    expect((await platform.post('/organizations/paused/suspend')).status).to.equal(200);
    await until('the stream has ended', () => openStreams() === 0);
    for (const headers of [{}, STREAM]) {
      const { status, body } = await service.as(member('paused')).get<Problem>('/events', headers);
      expect([status, body.code]).to.deep.equal([403, 'organization_suspended']);
    }
  });

  it('are streamed to 20 clients of an organization at a time; one more is told so, and no other organization', async () => {
    const token = member('crowded');
    const streams = await Promise.all(Array.from({ length: 20 }, () => follow(token)));
    const { status, body, headers } = await service.as(token).get<Problem>('/events', STREAM);
    expect([status, body.code, headers['retry-after']]).to.deep.equal([429, 'too_many_streams', '10']);
    await follow(member('beta'));
    expect((await service.as(token).get('/events')).status).to.equal(200);
    streams[0]?.close();
    await until('one has ended', () => openStreams() === 20);
    await follow(token);
    expect(openStreams()).to.equal(21);
    const { text } = await service.call('GET', '/metrics');
    expect(text).to.match(/^mad_event_streams 21$/m);
  });

  it('are refused to strangers, and of organizations that are unknown or others, however they are asked for', async () => {
    for (const headers of [{}, STREAM]) {
      const ask = (path: string, token?: string) =>
        service.call<Problem>('GET', path, { headers, ...(token !== undefined && { token }) });
      expect((await ask('/events')).status).to.equal(401);
      expect((await ask('/organizations/beta/events', member('alpha'))).body.code).to.equal(
        'organization_access_denied',
      );
      expect((await ask('/organizations/nowhere/events', member('alpha'))).body.code).to.equal(
        'organization_access_denied',
      );
      expect((await ask('/events', member('nowhere'))).body.code).to.equal('organization_not_found');
      expect(
        (await ask('/organizations/alpha/events', deployment.token(null, ['platform_admin']))).status,
      ).to.equal(403);
    }
  });

  it('say which part of a request is wrong', async () => {
    const refusals: readonly [string, string][] = [
      ['after=-1', 'after'],
      ['after=1.5', 'after'],
      ['after=1e3', 'after'],
      ['after=', 'after'],
      ['after=LATEST', 'after'],
      [`after=${'9'.repeat(16)}`, 'after'],
      ['after=1&after=2', 'after'],
      ['types=', 'types'],
      ['types=job.completed,', 'types'],
      ['types=member.removed', 'types'],
      ['types=constructor', 'types'],
      ['types=job.completed%00', 'types'],
      [`types=${'job.completed,'.repeat(100)}job.completed`, 'types'],
      ['limit=0', 'limit'],
      ['limit=201', 'limit'],
      ['limit=NaN', 'limit'],
      ['cursor=abc', 'cursor'],
    ];
    for (const headers of [{}, STREAM])
      for (const [query, path] of refusals) {
        const { status, body } = await service.as(member('alpha')).get<Problem>(`/events?${query}`, headers);
        expect([status, body.errors?.map((error) => error.path)], query).to.deep.equal([422, [path]]);
      }
    for (const id of ['abc', '-1', '1 2', '9'.repeat(16)]) {
      const headers = { ...STREAM, 'Last-Event-ID': id };
      const { status, body } = await service.as(member('alpha')).get<Problem>('/events', headers);
      expect([status, body.errors?.map((error) => error.path)], id).to.deep.equal([422, ['Last-Event-ID']]);
    }
  });

  it('stand on the wire as the standard says, not compressed and not held back', async () => {
    await happen('beta', 'job.completed', { engine: 'vina\n\ndata: forged', worker: 'w\r\nid: 7' });
    const stop = new AbortController();
    const response = await fetch(`${service.url}/events?types=job.completed`, {
      headers: { ...STREAM, Authorization: `Bearer ${member('beta')}`, 'Accept-Encoding': 'gzip' },
      signal: stop.signal,
    });
    expect(response.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).to.equal('no-store, no-transform');
    expect(response.headers.get('content-encoding')).to.equal(null);
    expect(response.headers.get('x-request-id')).to.be.a('string');
    const decoder = new TextDecoder();
    let text = '';
    const reader = response.body?.getReader();
    while (!text.includes('forged')) text += decoder.decode((await reader?.read())?.value, { stream: true });
    stop.abort();
    expect(text).to.match(
      /^retry: [12]\d{3}\nid: 0\n\n(?:id: \d+\nevent: job\.completed\ndata: \{.*\}\n\n)+$/,
    );
  });

  it('wait for a client that does not read, keep nothing for it, and end when it takes nothing for long', async () => {
    await deployment.metadata(
      `insert into audit_logs (org_id, action, entity_type, entity_id, details)
       select 'slow', 'job.claimed', 'job_claim', gen_random_uuid(),
         jsonb_build_object('job_ids', (select jsonb_agg(gen_random_uuid()) from generate_series(1, 100)))
       from generate_series(1, 3000)`,
    );
    const { responses } = service.container.get(TOKENS.httpDependencies);
    await followUnread(service.url, 'unread');
    let most = 0;
    await until('the stream has been given up', () => {
      most = Math.max(most, responses.totalBytes);
      return lineOf('unread') !== undefined;
    });
    // One page of a hundred events; all of them are 12 MB.
    expect(most).to.be.within(100_000, 1_000_000);
    expect(responses.totalBytes).to.equal(0);
    expect(openStreams()).to.equal(0);
    expect(lineOf('unread')?.fields).to.include({ cut: 'stalled' });

    const client = await follow(member('slow'));
    await until('one that reads gets all of them', () => client.events.length === 3000, 30_000);
    expect(new Set(client.ids).size).to.equal(3000);
    expect(client.ids).to.deep.equal(client.ids.toSorted((one, other) => Number(one) - Number(other)));
  });

  it('delay no stop, also where a client has not read them', async () => {
    const container = deployment.start({ RESPONSE_STALL_MS: '20000' });
    const { url, stop } = await container.get(TOKENS.service).start();
    const { responses } = container.get(TOKENS.httpDependencies);
    await followUnread(url, 'stopped');
    let stuck = 0;
    await until('the client has taken what it takes, and a page waits', () => {
      stuck = responses.totalBytes > 100_000 ? stuck + 1 : 0;
      return stuck === 50;
    });
    expect(await stop(), 'all has ended by itself').to.equal(true);
  });

  it('are a request that went well, when their client leaves', async () => {
    const id = 'left';
    const response = await fetch(`${service.url}/events`, {
      headers: { ...STREAM, Authorization: `Bearer ${member('alpha')}`, 'X-Request-Id': id },
    });
    await response.body?.cancel();
    await until('its line is written', () => lineOf(id) !== undefined);
    expect(lineOf(id)).to.deep.include({ level: 'info' });
    expect(lineOf(id)?.fields).to.include({ status: 200, route: '/events' });
  });
});
