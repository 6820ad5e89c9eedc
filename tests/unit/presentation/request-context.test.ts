import { expect } from 'chai';
import { FakeService } from '../../support/fakes/fake-service.ts';
import { JOB_ID, seedSamples } from '../../support/fakes/samples.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('A request', () => {
  it('keeps a sane request id', async () => {
    const response = await new FakeService().anonymous().get('/health').set('X-Request-Id', 'trace-1.a_B');
    expect(response.headers['x-request-id']).to.equal('trace-1.a_B');
  });

  for (const id of ['', 'two words', 'a'.repeat(129), '<script>', 'a, b', 'ümlaut']) {
    it(`gets a request id of its own in place of ${JSON.stringify(id.slice(0, 20))}`, async () => {
      const response = await new FakeService()
        .anonymous()
        .get('/jobs')
        .set('X-Request-Id', Buffer.from(id).toString('latin1'));
      expect(response.headers['x-request-id']).to.match(UUID);
      expect(response.body.request_id).to.equal(response.headers['x-request-id']);
    });
  }

  it('runs in a context that learns its organization from the token', async () => {
    const service = new FakeService();
    await service.acme('member').get('/jobs').set('X-Request-Id', 'one');
    await service.acme('member').get('/organizations/beta/jobs').set('X-Request-Id', 'two');
    await service.admin().get('/organizations/beta').set('X-Request-Id', 'three');
    await service.anonymous().get('/health').set('X-Request-Id', 'four');
    expect(service.contexts).to.deep.equal([
      { requestId: 'one', organizationId: 'acme' },
      { requestId: 'two', organizationId: 'acme' },
      { requestId: 'three', organizationId: 'beta' },
      { requestId: 'four', organizationId: null },
    ]);
  });

  it('carries its id into the audit trail', async () => {
    const service = new FakeService();
    await service.admin().patch('/organizations/acme').set('X-Request-Id', 'one').send({ name: 'New' });
    expect(service.metadata.trail[0]).to.include({ action: 'organization.renamed', requestId: 'one' });
  });

  it('is logged and observed once, by the pattern of its route', async () => {
    const service = new FakeService();
    await seedSamples(service, 'somebody');
    await service.acme('member').get(`/organizations/acme/jobs/${JOB_ID}`).set('X-Request-Id', 'one');
    expect(service.logger.lines).to.have.length(1);
    expect(service.logger.lines[0]?.level).to.equal('info');
    expect(service.logger.lines[0]?.fields).to.include({
      request_id: 'one',
      org_id: 'acme',
      method: 'GET',
      route: '/organizations/{org_id}/jobs/{job_id}',
      status: 200,
      // What the lease has cost.
      server: 'default',
      queries: 2,
      db_ms: 1.25,
      waited_ms: 0.5,
    });
    expect(service.logger.lines[0]?.event).to.equal('request.finished');
    expect(service.logger.lines[0]?.fields['duration_ms']).to.be.a('number').that.is.greaterThan(0);
    expect(service.observed).to.have.length(1);
    expect(service.observed[0]).to.include({
      method: 'GET',
      route: '/organizations/{org_id}/jobs/{job_id}',
      status: 200,
    });
  });

  it('to no route is observed as unmatched, to a wrong method by the pattern', async () => {
    const service = new FakeService();
    await service.anonymous().get('/nobody/knows/1234');
    await service.anonymous().delete('/organizations/acme');
    await service.anonymous().get('/organizations/%zz');
    await service.anonymous().get('/docs/start.js');
    expect(service.observed.map(({ route }) => route)).to.deep.equal([
      'unmatched',
      '/organizations/{org_id}',
      'unmatched',
      '/docs',
    ]);
  });

  it('never logs a token', async () => {
    const service = new FakeService();
    await service.anonymous().get('/jobs?access_token=canary').set('Authorization', 'Bearer canary');
    expect(JSON.stringify(service.logger.lines)).not.to.contain('canary');
  });

  for (const authorization of [
    'Basic dXNlcjpwYXNz',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'bearer',
    'Bearer unknown',
    'token',
    'Bearer a,Bearer b',
  ]) {
    it(`is not authenticated by "${authorization}"`, async () => {
      const response = await new FakeService().anonymous().get('/jobs').set('Authorization', authorization);
      expect(response.status).to.equal(401);
      expect(response.body.code).to.equal('unauthenticated');
      expect(response.headers['www-authenticate']).to.match(/^Bearer\b/);
    });
  }

  it('may write the scheme in any case', async () => {
    const service = new FakeService();
    const token = service.tokens.of('acme', 'member');
    const response = await service.anonymous().get('/jobs').set('Authorization', `bearer ${token}`);
    expect(response.status).to.equal(200);
  });
});

describe('A response', () => {
  it("carries helmet's headers, on success and on failure, and does not name Express", async () => {
    const service = new FakeService();
    for (const path of ['/health', '/jobs', '/nope']) {
      const { headers } = await service.anonymous().get(path);
      expect(headers).to.include({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
      expect(headers['content-security-policy']).to.equal("default-src 'none';frame-ancestors 'none'");
      expect(headers).not.to.have.any.keys('x-powered-by', 'etag', 'strict-transport-security');
    }
  });

  it('asks browsers to stay with TLS where a trusted proxy ended it, and nowhere else', async () => {
    const proxied = new FakeService({ options: { ...new FakeService().options, trustedProxies: 1 } });
    const over = (service: FakeService, protocol: string) =>
      service.anonymous().get('/health').set('X-Forwarded-Proto', protocol);
    expect((await over(proxied, 'https')).headers['strict-transport-security']).to.contain('max-age=');
    expect((await over(proxied, 'http')).headers).not.to.have.property('strict-transport-security');
    expect((await over(new FakeService(), 'https')).headers).not.to.have.property(
      'strict-transport-security',
    );
  });

  it('carries them and its request id once, however it is written', async () => {
    const service = new FakeService();
    const requests = () => [
      service.acme('member').get('/jobs'),
      service
        .acme('member')
        .post('/jobs')
        .send({ engine: 'vina', inputs: { ligand: 'imatinib' } }),
      service.acme('member').head('/jobs'),
      service.acme('member').get('/nope'),
      service.anonymous().get('/jobs'),
      service.anonymous().options('/jobs'),
      service.anonymous().get('/metrics'),
      service.anonymous().get('/docs/start.js'),
      service.anonymous().get('/docs/swagger-ui.css'),
    ];
    for (const isStopping of [false, true]) {
      service.options.isStopping = () => isStopping;
      for (const request of requests()) {
        const { headers } = await request;
        const title = `${request.method} ${request.url}`;
        expect(headers['x-request-id'], title).to.match(UUID);
        // A client joins the values of a header that comes twice.
        expect(headers, title).to.include({
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'SAMEORIGIN',
        });
        const isCached = request.url.includes('/docs/');
        expect(headers['cache-control'], title).to.equal(isCached ? 'public, max-age=3600' : 'no-store');
      }
    }
  });

  it('asks for a new connection once the process is stopping', async () => {
    const service = new FakeService();
    service.options.isStopping = () => true;
    const response = await service.anonymous().get('/health').set('Connection', 'keep-alive');
    expect(response.headers['connection']).to.equal('close');
  });
});
