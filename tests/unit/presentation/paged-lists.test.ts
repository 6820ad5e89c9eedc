import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { MAX_PAGE_BYTES } from '../../../domain/page.ts';
import type { HttpLocals, HttpRequest } from '../../../presentation/http/request/http-locals.ts';
import { ResponseAccount } from '../../../presentation/http/request/response-account.ts';
import { createRouteTable } from '../../../presentation/http/route-table.ts';
import { FakeService } from '../../support/fakes/fake-service.ts';
import { portOf } from '../../support/fakes/port-of.ts';
import { fakeUuid } from '../../support/fakes/fake-results.ts';
import { JOB_ID, samplePath, sampleService, seedSamples, titleOf } from '../../support/fakes/samples.ts';

const MIB = 1024 * 1024;
/** As much as a body may hold, about. */
const LARGE_JOB = { engine: 'vina', inputs: { text: 'x'.repeat(MIB - 1000) } };
const NOTE = { action: 'tested', details: {}, userId: null, requestId: null, address: null };
const routes = createRouteTable(new FakeService().deps);
const fieldsOf = (schema: unknown): readonly string[] => {
  const shape = (schema as { shape?: object } | undefined)?.shape;
  return Object.keys(shape ?? {});
};
const pageRoutes = routes.filter(({ replies }) => fieldsOf(replies[200]?.schema).includes('next_cursor'));
/** Lists that are whole: of what operators configure or link one by one. */
const WHOLE_LISTS = [
  'listServers',
  'listIdentities',
  'listUserSessions',
  'listServiceAccountKeys',
  'listFleetKeys',
  'findWork',
  'listInstances',
  'listTasks',
  'getConfiguration',
];
/** The list that grows at its end: clients ask on from the last position that they know. */
const FOLLOWED_LISTS = ['listEvents', 'listEventsByClaim'];

describe('A list in pages', () => {
  it('is every list, but those that operators keep short', () => {
    const whole = routes.filter(({ method, replies }) => {
      const fields = fieldsOf(replies[200]?.schema);
      return method === 'get' && fields.includes('items') && !fields.includes('next_cursor');
    });
    expect(whole.map(({ name }) => name)).to.have.members([...WHOLE_LISTS, ...FOLLOWED_LISTS]);
    expect(pageRoutes.length).to.be.greaterThan(10);
    for (const { request } of pageRoutes)
      expect(fieldsOf(request.query)).to.include.members(['limit', 'cursor']);
  });

  for (const route of pageRoutes) {
    it(`is not read for HEAD ${route.path}, whose headers are those of a page`, async () => {
      const service = new FakeService();
      const [role = 'platform_admin'] = route.roles;
      await sampleService(service, role);
      const client = service.as(service.tokens.of(role === 'platform_admin' ? null : 'acme', role));
      const [get, head] = [await client.get(samplePath(route)), await client.head(samplePath(route))];
      expect([get.status, head.status], titleOf(route)).to.deep.equal([200, 200]);
      expect(head.headers['content-type']).to.equal(get.headers['content-type']);
      expect(head.headers).not.to.have.property('content-length');
      expect(service.deps.responses.totalBytes).to.equal(0);
    });
  }

  it('is not queried for HEAD, although its job is looked up', async () => {
    const service = new FakeService();
    await seedSamples(service, 'somebody');
    let listings = 0;
    const results = service.databases.of('acme');
    results.onListing = () => void (listings += 1);
    const client = service.acme('member');
    expect((await client.head('/jobs')).status).to.equal(200);
    for (const output of ['task-results', 'artifacts']) {
      expect((await client.head(`/jobs/${JOB_ID}/${output}`)).status).to.equal(200);
      expect((await client.head(`/jobs/${fakeUuid(404)}/${output}`)).status).to.equal(404);
    }
    expect(listings).to.equal(0);
    await client.get('/jobs');
    expect(listings).to.equal(1);
  });

  it('of large jobs ends at its bytes, and the cursor carries on', async () => {
    const service = new FakeService();
    const client = service.acme('member');
    const made: string[] = [];
    for (let index = 0; index < 10; index += 1)
      made.push((await client.post('/jobs').send(LARGE_JOB)).body.job_id);
    const seen: string[] = [];
    let path = '/jobs?limit=200';
    for (let pages = 1; path !== ''; pages += 1) {
      const { body, text } = await client.get(path);
      expect(text.length).to.be.at.most(MAX_PAGE_BYTES + MIB / 16);
      seen.push(...body.items.map(({ job_id: id }: { job_id: string }) => id));
      expect(pages).to.be.at.most(4);
      path = body.next_cursor === null ? '' : `/jobs?limit=200&cursor=${body.next_cursor}`;
    }
    expect(seen).to.deep.equal(made.toReversed());
  });

  it('of outputs has two hundred items unless asked, and goes on from its cursor', async () => {
    const service = new FakeService();
    await seedSamples(service, 'somebody');
    const { taskResults, artifacts } = service.databases.of('acme');
    for (let index = 0; index < 203; index += 1) {
      const [common, name] = [{ jobId: JOB_ID, leaseId: null, note: NOTE }, `task-${1000 + index}`];
      const program = {
        serviceName: 'vina',
        serviceVersion: null,
        schemaVersion: null,
        confidenceScore: null,
      };
      const found = { resultData: {}, poses: [], score: { bestAffinity: null, suspect: [] } };
      await taskResults.put({ ...common, ...program, ...found, taskName: name });
      const file = {
        purpose: 'poses',
        uri: 's3://x',
        contentType: null,
        sha256: null,
        sizeBytes: null,
        checksum: null,
      };
      await artifacts.insert({ ...common, ...file, name });
    }
    const client = service.acme('member');
    for (const [output, field] of [
      ['task-results', 'task_name'],
      ['artifacts', 'name'],
    ] as const) {
      const path = `/jobs/${JOB_ID}/${output}`;
      const { body: first } = await client.get(path);
      expect(first.items).to.have.length(200);
      const { body: last } = await client.get(`${path}?limit=5&cursor=${first.next_cursor}`);
      expect(last.items.map((item: Record<string, string>) => item[field])).to.deep.equal([
        'task-1200',
        'task-1201',
        'task-1202',
      ]);
      expect(last.next_cursor).to.equal(null);
      expect((await client.get(`${path}?cursor=%27`)).status).to.equal(422);
    }
  });
});

describe('The bytes of an answer', () => {
  it('are not estimated by a length that the service would never read', async () => {
    const service = new FakeService();
    const { responses } = service.deps;
    const results = service.databases.of('acme');
    let listing = 0;
    results.onListing = () => void (listing = responses.totalBytes);
    const server = service.app.listen(0);
    try {
      const asked = http.get({
        port: portOf(server),
        path: '/jobs',
        headers: {
          authorization: `Bearer ${service.tokens.of('acme', 'member')}`,
          'content-length': String(1e12),
        },
      });
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      asked.on('error', () => undefined).destroy();
      expect(response.statusCode).to.equal(200);
      expect(listing).to.be.within(1, MIB);
    } finally {
      server.close();
    }
  });

  const small = new ResponseAccount({ totalBytes: 2 * MAX_PAGE_BYTES, organizationBytes: MAX_PAGE_BYTES });

  it('that anyone may ask for are the same bytes for everyone', async () => {
    for (const name of ['openApi', 'docs']) {
      const route = routes.find((candidate) => candidate.name === name);
      // All that a route without parts reads of a request.
      const answer = route?.accept({ query: {}, params: {}, headers: {} } as unknown as HttpRequest, []);
      // A public handler uses nothing that steps have set.
      const locals = { address: null, requestId: '' } as HttpLocals;
      const [one, other] = [await answer?.({ ...locals }), await answer?.({ ...locals })];
      expect(one?.body, name).to.be.instanceOf(Buffer);
      expect(one?.body, name).to.equal(other?.body);
    }
  });

  it('are refused above the limit before anything is read or written, and given back after each answer', async () => {
    const service = new FakeService({ responses: small });
    await seedSamples(service, 'somebody');
    const client = service.acme('member', 'worker');
    const unread = small.open('acme');
    unread.reserve(MAX_PAGE_BYTES - 9000);
    const result = { service_name: 'vina', result_data: { text: 'x'.repeat(10_000) } };
    for (const refused of [
      await client.get('/jobs'),
      await client.put(`/jobs/${JOB_ID}/task-results/docking`).send(result),
    ]) {
      expect([refused.status, refused.body.code]).to.deep.equal([429, 'organization_busy']);
      expect(refused.headers['retry-after']).to.equal('1');
    }
    expect(service.databases.of('acme').storedTaskResults).to.be.empty;
    expect((await client.get(`/jobs/${JOB_ID}`)).status, 'a small answer has room').to.equal(200);
    expect((await service.as(service.tokens.of('beta', 'member')).get('/jobs')).status).to.equal(200);
    unread.close();
    expect((await client.put(`/jobs/${JOB_ID}/task-results/docking`).send(result)).status).to.equal(201);
    expect((await client.get('/jobs')).status).to.equal(200);
    expect(small.totalBytes).to.equal(0);
  });

  it('of one large resource are refused when they are known and have no room', async () => {
    const service = new FakeService({ responses: small });
    const client = service.acme('member');
    const { body: job } = await client.post('/jobs').send(LARGE_JOB);
    const unread = small.open('acme');
    unread.reserve(3 * MIB + 10_000);
    const { status, body } = await client.get(`/jobs/${job.job_id}`);
    expect([status, body.code]).to.deep.equal([429, 'organization_busy']);
    unread.close();
    expect((await client.get(`/jobs/${job.job_id}`)).status).to.equal(200);
    expect(small.totalBytes).to.equal(0);
  });
});
