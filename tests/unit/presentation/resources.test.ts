import { expect } from 'chai';
import { FakeService, organization } from '../../support/fakes/fake-service.ts';
import { fakeUuid } from '../../support/fakes/fake-results.ts';
import { JOB_ID, seedSamples, SIGNATURE } from '../../support/fakes/samples.ts';

const AT = '2026-01-02T03:04:05.678Z';
const AFTER_THE_JOB = '2026-01-02T03:04:06.678Z';

const withAda = () => {
  const service = new FakeService();
  const { people } = service.metadata;
  people.add({ userId: 'ada', email: 'ada@example.org', passwordHash: 'hash of secret' });
  people.join('ada', organization('acme'), ['member']);
  return service;
};

describe('POST /auth/token', () => {
  it('gives a bearer token', async () => {
    const service = withAda();
    const credentials = { email: 'ada@example.org', password: 'secret', org_id: 'acme' };
    const response = await service.anonymous().post('/auth/token').send(credentials);
    expect(response.status).to.equal(200);
    expect(response.body).to.have.all.keys(
      'access_token',
      'token_type',
      'expires_in',
      'refresh_token',
      'refresh_expires_in',
    );
    expect(response.body).to.include({ token_type: 'bearer', expires_in: 3600, refresh_expires_in: 7200 });
    expect((await service.as(response.body.access_token).get('/jobs')).status).to.equal(200);
  });

  it('refuses a wrong password, an unknown user and a foreign organization alike', async () => {
    const service = withAda();
    const answers = [];
    for (const credentials of [
      { email: 'ada@example.org', password: 'wrong' },
      { email: 'nobody@example.org', password: 'secret' },
      { email: 'ada@example.org', password: 'secret', org_id: 'beta' },
      { email: 'ada@example.org', password: 'secret', org_id: 'nobody' },
    ]) {
      const response = await service
        .anonymous()
        .post('/auth/token')
        .set('X-Request-Id', 'one')
        .send(credentials);
      expect(response.headers['www-authenticate']).to.equal('Bearer');
      answers.push(`${response.status} ${response.text}`);
    }
    expect(new Set(answers).size).to.equal(1);
    expect(answers[0]).to.match(/^401 /);
  });
});

describe('Organizations', () => {
  const gamma = {
    org_id: 'gamma',
    name: 'Gamma',
    status: 'active',
    created_at: AT,
    updated_at: AT,
    database: null,
    placement: { server_id: null, labels: {} },
  };

  it('are registered without a database, with their address', async () => {
    const service = new FakeService();
    const response = await service.admin().post('/organizations').send({ org_id: 'gamma', name: '  Gamma ' });
    expect(response.status).to.equal(201);
    expect(response.headers['location']).to.equal('/organizations/gamma');
    expect(response.body).to.deep.equal(gamma);
    expect(service.databases.acquired).to.be.empty;
    const again = await service.admin().post('/organizations').send({ org_id: 'gamma', name: 'Gamma' });
    expect(again.status).to.equal(409);
    expect(again.body.code).to.equal('organization_already_exists');
  });

  it('are listed page by page', async () => {
    const service = new FakeService();
    service.metadata.add(organization('gamma'));
    const first = await service.admin().get('/organizations?limit=2');
    expect(first.body.items.map(({ org_id }: { org_id: string }) => org_id)).to.deep.equal(['acme', 'beta']);
    const second = await service
      .admin()
      .get('/organizations')
      .query({ limit: 2, cursor: first.body.next_cursor });
    expect(second.body.items.map(({ org_id }: { org_id: string }) => org_id)).to.deep.equal(['gamma']);
    expect(second.body.next_cursor).to.be.null;
  });

  it('show their database once there is one', async () => {
    const service = new FakeService();
    service.metadata.addDatabase(organization('acme'));
    const response = await service.acme('member').get('/organizations/acme');
    expect(response.status).to.equal(200);
    expect(response.body.database).to.deep.equal({
      name: 'mad_results_acme',
      state: 'ready',
      schema_version: 1,
    });
    const unknown = await service.admin().get('/organizations/nobody');
    expect(unknown.status).to.equal(404);
    expect(unknown.body.code).to.equal('organization_not_found');
  });

  it('change their name, or nothing', async () => {
    const service = new FakeService();
    const renamed = await service.acme('org_admin').patch('/organizations/acme').send({ name: 'New' });
    expect(renamed.status).to.equal(200);
    expect(renamed.body).to.include({ org_id: 'acme', name: 'New' });
    const unchanged = await service.acme('org_admin').patch('/organizations/acme').send({});
    expect(unchanged.body).to.deep.equal(renamed.body);
    expect(service.metadata.trail).to.have.length(1);
  });

  it('keep their settings', async () => {
    const service = new FakeService();
    const settings = { theme: 'dark', quotas: { jobs: 5 } };
    const client = service.acme('org_admin');
    expect((await client.get('/organizations/acme/settings')).body).to.deep.equal({ settings: {} });
    const put = await client.put('/organizations/acme/settings').send({ settings });
    expect(put.status).to.equal(200);
    expect(put.body).to.deep.equal({ settings });
    expect((await client.get('/organizations/acme/settings')).body).to.deep.equal({ settings });
  });

  it('list their audit trail, newest first, by action and page', async () => {
    const service = new FakeService();
    const client = service.acme('org_admin').set('X-Request-Id', 'one');
    await client.patch('/organizations/acme').send({ name: 'A' });
    await client.put('/organizations/acme/settings').send({ settings: {} });
    await client.patch('/organizations/acme').send({ name: 'B' });
    const first = await client.get('/organizations/acme/audit-logs?action=organization.renamed&limit=1');
    expect(first.body.items).to.deep.equal([
      {
        audit_id: 'audit-3',
        org_id: 'acme',
        user_id: 'user-org_admin',
        action: 'organization.renamed',
        entity_type: 'organization',
        entity_id: 'acme',
        details: { name: 'B', before: 'A' },
        request_id: 'one',
        address: '127.0.0.1',
        ts: AT,
      },
    ]);
    const second = await client
      .get('/organizations/acme/audit-logs')
      .query({ action: 'organization.renamed', cursor: first.body.next_cursor });
    expect(second.body.items.map(({ details }: { details: object }) => details)).to.deep.equal([
      { name: 'A', before: 'Name of acme' },
    ]);
    expect(second.body.next_cursor).to.be.null;
  });
});

interface JobPage {
  readonly items: readonly { readonly priority: number }[];
}
const priorities = ({ body }: { readonly body: JobPage }) => body.items.map(({ priority }) => priority);

describe('Jobs', () => {
  const submission = { engine: 'vina', inputs: { ligand: 'CCO' } };

  it('are submitted with defaults filled in, and answer at the address they were sent to', async () => {
    for (const home of ['', '/organizations/acme']) {
      const service = new FakeService();
      const response = await service.acme('member').post(`${home}/jobs`).send(submission);
      expect(response.status).to.equal(201);
      const { job_id: jobId, input_signature: signature } = response.body;
      expect(response.headers['location']).to.equal(`${home}/jobs/${jobId}`);
      expect(response.body).to.deep.equal({
        job_id: jobId,
        status: 'PENDING',
        engine: 'vina',
        pipeline_version: '1.0.0',
        inputs: { ligand: 'CCO' },
        params: {},
        priority: 0,
        input_signature: signature,
        submitted_by: 'user-member',
        created_at: AT,
        updated_at: AT,
        started_at: null,
        completed_at: null,
        error: null,
        error_code: null,
        max_attempts: 3,
        max_runtime_seconds: null,
        lease: null,
        progress: null,
        attempt: 0,
        label: null,
        campaign_id: null,
        retry_of: null,
        cache: { hit: false, canonical_job_id: null, confidence_score: null },
      });
      const found = await service.acme('worker').get(response.headers['location'] ?? '');
      expect(found.body).to.deep.equal(response.body);
    }
  });

  it('are submitted once under an idempotency key', async () => {
    const service = new FakeService();
    const send = (body: object) =>
      service.acme('member').post('/jobs').set('Idempotency-Key', 'key 1').send(body);
    const first = await send(submission);
    const replay = await send(submission);
    expect([first.status, replay.status]).to.deep.equal([201, 200]);
    expect(replay.body).to.deep.equal(first.body);
    expect(replay.headers).not.to.have.property('location');
    const other = await send({ ...submission, priority: 5 });
    expect(other.status).to.equal(409);
    expect(other.body.code).to.equal('idempotency_key_reused');
  });

  it('are answered from the cache only when asked to', async () => {
    const service = new FakeService();
    const plain = await service.acme('member').post('/jobs').send(submission);
    const signature = plain.body.input_signature;
    const at = new Date(AT);
    service.databases.of('acme').signatures.set(signature, {
      signature,
      canonicalJobId: JOB_ID,
      confidenceScore: 0.75,
      hitCount: 0,
      createdAt: at,
      lastUsedAt: at,
      expiresAt: null,
      pinned: false,
    });
    const cached = await service.acme('member').post('/jobs?use_cache=true').send(submission);
    expect(cached.body.status).to.equal('COMPLETED');
    expect(cached.body.cache).to.deep.equal({ hit: true, canonical_job_id: JOB_ID, confidence_score: 0.75 });
    for (const query of ['', '?use_cache=false']) {
      const fresh = await service.acme('member').post(`/jobs${query}`).send(submission);
      expect(fresh.body.cache.hit).to.be.false;
    }
  });

  it('are listed newest first, page by page', async () => {
    const service = new FakeService();
    for (const priority of [1, 2, 3]) {
      await service
        .acme('member')
        .post('/jobs')
        .send({ ...submission, priority });
    }
    const first = await service.acme('member').get('/jobs?limit=2&status=PENDING');
    expect(priorities(first)).to.deep.equal([3, 2]);
    const second = await service
      .acme('member')
      .get('/jobs')
      .query({ limit: 2, cursor: first.body.next_cursor });
    expect(priorities(second)).to.deep.equal([1]);
    expect(second.body.next_cursor).to.be.null;
    expect(priorities(await service.acme('member').get('/jobs?status=FAILED'))).to.deep.equal([]);
  });

  it('are moved by workers, and by members only to cancel their own', async () => {
    const service = new FakeService();
    await seedSamples(service, 'somebody');
    const refused = await service.acme('member').patch(`/jobs/${JOB_ID}`).send({ status: 'CANCELED' });
    expect(refused.body.code).to.equal('role_required');
    const running = await service.acme('worker').patch(`/jobs/${JOB_ID}`).send({ status: 'RUNNING' });
    expect(running.body.status).to.equal('RUNNING');
    const failed = await service
      .acme('worker')
      .patch(`/jobs/${JOB_ID}`)
      .send({ status: 'FAILED', error: 'no pose' });
    expect(failed.body).to.include({ status: 'FAILED', error: 'no pose' });
    const conflict = await service.acme('org_admin').patch(`/jobs/${JOB_ID}`).send({ status: 'RUNNING' });
    expect(conflict.status).to.equal(409);
    expect(conflict.body.code).to.equal('job_state_conflict');
  });

  it('are not found when unknown, whatever their UUID looks like', async () => {
    for (const id of [fakeUuid(999), '11111111-1111-1111-1111-111111111111', JOB_ID.toUpperCase()]) {
      const response = await new FakeService().acme('member').get(`/jobs/${id}`);
      expect(response.status).to.equal(404);
      expect(response.body.code).to.equal('job_not_found');
    }
  });
});

describe('What a job brings forth', () => {
  it('is a task result, new or replaced', async () => {
    const service = new FakeService();
    await seedSamples(service, 'somebody');
    const path = `/organizations/acme/jobs/${JOB_ID}/task-results`;
    const result = { service_name: 'vina', confidence_score: 0.9, result_data: { affinity: -9.1 } };
    const first = await service.acme('worker').put(`${path}/docking`).send(result);
    expect(first.status).to.equal(201);
    expect(first.body).to.deep.equal({
      task_result_id: fakeUuid(1),
      job_id: JOB_ID,
      task_name: 'docking',
      service_name: 'vina',
      service_version: null,
      schema_version: null,
      confidence_score: 0.9,
      result_data: { affinity: -9.1 },
      poses: [],
      suspect: [],
      created_at: AFTER_THE_JOB,
      updated_at: AFTER_THE_JOB,
    });
    const second = await service.acme('worker').put(`${path}/docking`).send(result);
    expect(second.status).to.equal(200);
    const list = await service.acme('member').get(path);
    expect(list.body).to.deep.equal({ items: [first.body], next_cursor: null });
  });

  it('is an artifact', async () => {
    const service = new FakeService();
    await seedSamples(service, 'somebody');
    const path = `/jobs/${JOB_ID}/artifacts`;
    const artifact = { name: 'poses.sdf', purpose: 'poses', uri: 's3://bucket/poses.sdf', size_bytes: 0 };
    const response = await service.acme('worker').post(path).send(artifact);
    expect(response.status).to.equal(201);
    expect(response.body).to.deep.equal({
      artifact_id: fakeUuid(2),
      job_id: JOB_ID,
      ...artifact,
      content_type: null,
      checksum: null,
      created_at: AFTER_THE_JOB,
    });
    const list = await service.acme('member').get(path);
    expect(list.body).to.deep.equal({ items: [response.body], next_cursor: null });
  });

  it('is a cache entry', async () => {
    const service = new FakeService();
    await seedSamples(service, 'somebody');
    const path = '/organizations/acme/input-signatures';
    const found = await service.acme('worker').get(`${path}/${SIGNATURE}`);
    expect(found.status).to.equal(200);
    expect(found.body).to.deep.equal({
      signature: SIGNATURE,
      canonical_job_id: JOB_ID,
      confidence_score: 0.9,
      hit_count: 2,
      created_at: AT,
      last_used_at: AT,
      expires_at: null,
      pinned: false,
    });
    const unknown = await service.acme('worker').get(`${path}/${'cd'.repeat(32)}`);
    expect(unknown.status).to.equal(404);
    expect(unknown.body.code).to.equal('signature_not_found');
  });
});

describe('Databases', () => {
  const acme = {
    org_id: 'acme',
    server_id: 'default',
    database: 'mad_results_acme',
    state: 'ready',
    schema_version: 1,
    generation: 1,
    last_error: null,
    created_at: AT,
    updated_at: AT,
    pool: null,
  };

  it('are listed by state and page, with the pools of this process', async () => {
    const service = new FakeService();
    for (const id of ['acme', 'beta']) service.metadata.addDatabase(organization(id));
    service.databases.pools.set('beta', { open: 3, inUse: 2, idle: 1, waiting: 4 });
    const first = await service.admin().get('/admin/databases?limit=1&state=ready');
    expect(first.body.items).to.deep.equal([acme]);
    const second = await service.admin().get('/admin/databases').query({ cursor: first.body.next_cursor });
    expect(second.body.items).to.have.length(1);
    expect(second.body.items[0]).to.include({ org_id: 'beta' });
    expect(second.body.items[0].pool).to.deep.equal({ open: 3, in_use: 2, idle: 1, waiting: 4 });
    const failed = await service.admin().get('/admin/databases?state=failed');
    expect(failed.body).to.deep.equal({ items: [], next_cursor: null });
    expect(service.databases.acquired).to.be.empty;
  });

  it('are shown one by one', async () => {
    const service = new FakeService();
    service.metadata.addDatabase(organization('acme'));
    expect((await service.admin().get('/admin/databases/acme')).body).to.deep.equal(acme);
    const unused = await service.admin().get('/admin/databases/beta');
    expect(unused.body.code).to.equal('organization_database_not_found');
    const unknown = await service.admin().get('/admin/databases/nobody');
    expect(unknown.body.code).to.equal('organization_not_found');
  });

  it('are provisioned on demand', async () => {
    const service = new FakeService();
    service.metadata.addDatabase(organization('acme'));
    for (const requestId of ['first', 'again']) {
      const response = await service
        .admin()
        .post('/admin/databases/acme/provision')
        .set('X-Request-Id', requestId);
      expect(response.status).to.equal(200);
      expect(response.body).to.deep.equal(acme);
    }
    expect(service.databases.provisioned).to.deep.equal(['acme', 'acme']);
  });
});
