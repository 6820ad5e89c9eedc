import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { FakeService, organization } from '../../support/fakes/fake-service.ts';
import { fakeUuid } from '../../support/fakes/fake-results.ts';
import { portOf } from '../../support/fakes/port-of.ts';
import { Gate, until } from '../../support/gate.ts';

const ACME = organization('acme');

describe('A stream of events', () => {
  let service: FakeService;
  let server: http.Server;

  beforeEach(async () => {
    service = new FakeService();
    server = service.app.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    service.eventStreams.close();
    server.closeAllConnections();
    server.close();
    await until('nothing of it is left', () => service.eventStreams.count === 0);
    expect(service.deps.responses.totalBytes).to.equal(0);
  });

  const ask = (path: string, method = 'GET'): ClientRequest => {
    const headers = {
      Accept: 'text/event-stream',
      Authorization: `Bearer ${service.tokens.of('acme', 'member')}`,
    };
    const request = http.request({ port: portOf(server), path, method, headers });
    request.on('error', () => undefined);
    return request.end();
  };
  /** The answer, and what has come of it so far. */
  const follow = async (path = '/events') => {
    const [response] = (await once(ask(path), 'response')) as [IncomingMessage];
    let text = '';
    let hasEnded = false;
    response.setEncoding('utf8').on('data', (chunk) => (text += String(chunk)));
    response.on('end', () => (hasEnded = true)).on('error', () => undefined);
    response.on('close', () => (hasEnded = true));
    await until('it has begun', () => text.startsWith('retry: '));
    return { response, text: () => text, hasEnded: () => hasEnded };
  };
  const happen = async (): Promise<void> => {
    const entry = { organizationId: ACME, userId: null, details: {}, requestId: null };
    await service.metadata.auditLog.append({
      ...entry,
      action: 'job.submitted',
      entityType: 'job',
      entityId: fakeUuid(1),
    });
  };

  it('tells nothing to a caller who may not read any longer, although nobody has ended it yet', async () => {
    const stream = await follow();
    service.feed.isCurrent = false;
    await service.metadata.organizations.moveStatus(ACME, 'active', 'suspended');
    await happen();
    await service.eventStreams.look();
    await until('it has ended', () => stream.hasEnded());
    expect(stream.text()).not.to.include('data:');
  });

  it('keeps its place in no count when its client leaves before it begins', async () => {
    const gate = new Gate();
    service.metadata.events.gate = gate.opened;
    const request = ask('/events');
    await until('it is being opened', () => service.eventStreams.count === 1);
    request.destroy();
    await until('the client has left', () => service.requestLines.length === 1);
    gate.open();
    await until('it is given up', () => service.eventStreams.count === 0);
  });

  it('has nothing of the account of answers while nothing is under way', async () => {
    const stream = await follow();
    await happen();
    await service.eventStreams.look();
    await until('the event is there', () => stream.text().includes('data:'));
    expect(service.deps.responses.totalBytes).to.equal(0);
    expect(stream.text()).to.match(/\n\nid: 1\nevent: job\.submitted\ndata: \{[^\n]+\}\n\n$/);
  });

  it('is not begun for HEAD, whose headers are those of a stream', async () => {
    const [response] = (await once(ask('/events', 'HEAD'), 'response')) as [IncomingMessage];
    expect(response.statusCode).to.equal(200);
    expect(response.headers['content-type']).to.equal('text/event-stream; charset=utf-8');
    expect(service.metadata.events.calls).to.deep.equal([]);
  });

  it('ends when the trail cannot be read, which the log says once', async () => {
    for (let number = 0; number < 101; number += 1) await happen();
    const gate = new Gate();
    const { list } = service.metadata.events;
    service.metadata.events.list = async (...range) => {
      if (service.metadata.events.calls.includes('list')) await gate.pass();
      return list(...range);
    };
    const stream = await follow();
    await gate.reached;
    await until('the first page is there', () => stream.text().includes('id: 100\n'));
    service.metadata.events.isAway = true;
    gate.open();
    await until('it has ended', () => stream.hasEnded() && service.requestLines.length === 1);
    expect(service.requestLines[0]?.fields).to.include({ status: 500 });
  });

  it('is preferred by those alone who say so: others get a page', async () => {
    const client = service.acme('member');
    for (const accept of [
      '*/*',
      'application/json',
      'text/html',
      'text/event-stream;q=0.1, application/json',
    ])
      expect((await client.get('/events').set('Accept', accept)).type, accept).to.equal('application/json');
  });
});
