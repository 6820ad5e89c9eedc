import { expect } from 'chai';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { AuditEntry, Job, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

const PASSWORD = 'correct horse battery staple';
/** One flows in every twelve seconds: longer than a test takes. */
const PER_MINUTE = 5;

describe('What a caller may send', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let organizations = 0;

  before(async () => {
    deployment = await createDeployment({
      PUBLIC_REQUESTS_PER_ADDRESS: String(PER_MINUTE),
      TRUSTED_PROXIES: '1',
      ORG_WRITE_BYTES_PER_SECOND: '1000',
      ORG_WRITE_VALUES_PER_SECOND: '100',
    });
    service = await HttpService.start(deployment);
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  /** An organization that has sent nothing yet. */
  const newOrganization = async (): Promise<{ id: string; caller: Caller }> => {
    const id = `org-${(organizations += 1)}`;
    await deployment.register(id);
    return { id, caller: service.as(deployment.token(id, ['org_admin', 'member', 'worker'])) };
  };
  const job = (inputs: object) => ({ engine: 'vina', inputs });
  const setting = async (id: string, caller: Caller, settings: object): Promise<void> => {
    expect((await caller.put(`/organizations/${id}/settings`, { settings })).status).to.equal(200);
    const policies = service.container.get(TOKENS.organizationPolicies);
    await until('the settings arrive', () => Object.keys(policies.policyOf(organizationId(id))).length > 0);
  };

  describe('without a token', () => {
    const ask = (path: string, address: string, body: unknown) =>
      service.call<Problem>('POST', path, { body, headers: { 'X-Forwarded-For': address } });

    it('is limited for each network, on all routes together, before the body is read', async () => {
      const bodies = ['{"email":', { refresh_token: 'unknown' }, { surplus: 1 }];
      const paths = ['/auth/token', '/auth/refresh', '/auth/logout'];
      const seen: number[] = [];
      for (let n = 0; n < PER_MINUTE; n += 1) {
        const address = `2001:db8:0:7::${n.toString(16)}`;
        seen.push((await ask(paths[n % 3] ?? '', address, bodies[n % 3])).status);
      }
      expect(seen).not.to.include(429);
      for (const [index, path] of paths.entries()) {
        const reply = await ask(path, '2001:db8:0:7::ffff', bodies[index]);
        expect([reply.status, reply.body.code]).to.deep.equal([429, 'too_many_attempts']);
        expect(Number(reply.headers['retry-after'])).to.be.within(1, 60);
      }
      expect((await ask('/auth/logout', '2001:db8:0:8::1', bodies[1])).status, 'from elsewhere').to.equal(
        204,
      );
      const health = await service.call('GET', '/health', {
        headers: { 'X-Forwarded-For': '2001:db8:0:7::1' },
      });
      expect(health.status, 'what costs nothing').to.equal(200);
    });

    it('is limited for each session that refreshes, and the refused token stays good', async () => {
      const email = 'refreshing@example.org';
      const { users, members } = service.container.get(TOKENS.metadataDatabase);
      const passwordHash = await new Argon2Passwords().hash(PASSWORD);
      const { userId } = await users.ensureUser({ email, passwordHash, platformAdmin: false });
      const { id } = await newOrganization();
      await members.add(organizationId(id), userId, ['member']);
      const { refreshSession, issueToken } = service.container.get(TOKENS.useCases);
      const origin = { requestId: 'r', address: '192.0.2.1' };
      const login = { email, password: PASSWORD, organizationId: id, newPassword: null };
      let { refreshToken } = await issueToken(login, origin);
      let refused = 0;
      for (let n = 0; n < 100 && refused < 3; n += 1) {
        try {
          ({ refreshToken } = await refreshSession(refreshToken, origin));
        } catch (error) {
          expect(error).to.include({ code: 'too_many_attempts' });
          refused += 1;
        }
      }
      expect(refused).to.equal(3);
      const reply = await ask('/auth/refresh', '192.0.2.1', { refresh_token: refreshToken });
      expect([reply.status, reply.body.code]).to.deep.equal([429, 'too_many_attempts']);
      expect((await issueToken(login, origin)).refreshToken, 'another session').to.be.a('string');
    });
  });

  describe('of one organization', () => {
    it('is limited in bytes: one large body is taken, and paid back by waiting', async () => {
      const [one, other] = [await newOrganization(), await newOrganization()];
      expect((await one.caller.post('/jobs', job({ text: 'x'.repeat(100_000) }))).status).to.equal(201);
      const refused = await one.caller.post<Problem>('/jobs', job({ a: 1 }));
      expect([refused.status, refused.body.code]).to.deep.equal([429, 'organization_busy']);
      expect(Number(refused.headers['retry-after'])).to.be.within(60, 100);
      const settings = await one.caller.put<Problem>(`/organizations/${one.id}/settings`, { settings: {} });
      expect(settings.status, 'on every route').to.equal(429);
      expect((await one.caller.get<Page<Job>>('/jobs')).body.items, 'reads go on').to.have.length(1);
      expect((await other.caller.post('/jobs', job({ a: 1 }))).status, 'others go on').to.equal(201);
    });

    it('is limited in bytes that nobody announced as well', async () => {
      const { id, caller } = await newOrganization();
      const body = JSON.stringify(job({ text: 'x'.repeat(50_000) }));
      const chunked = await fetch(`${service.url}/jobs`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${deployment.token(id, ['member'])}`,
        },
        body: new Blob([body]).stream(),
        duplex: 'half',
      });
      expect(chunked.status).to.equal(201);
      expect((await caller.post('/jobs', job({ a: 1 }))).status).to.equal(429);
    });

    it('is limited in bytes that are no text as well', async () => {
      const { id } = await newOrganization();
      const post = () =>
        fetch(`${service.url}/jobs`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${deployment.token(id, ['member'])}`,
          },
          body: new Blob([new Uint8Array(50_000).fill(0xff)]).stream(),
          duplex: 'half',
        });
      expect((await post()).status).to.equal(400);
      expect((await post()).status).to.equal(429);
    });

    it('is limited in values', async () => {
      const { caller } = await newOrganization();
      expect((await caller.post('/jobs', job({ a: Array(1500).fill(0) }))).status).to.equal(201);
      const refused = await caller.post<Problem>('/jobs', job({ a: 1 }));
      expect([refused.status, refused.body.code]).to.deep.equal([429, 'organization_busy']);
    });

    it('is limited by its own settings, which ask for less and never for more', async () => {
      const { id, caller } = await newOrganization();
      for (const [name, value] of [
        ['max_write_bytes_per_second', 1001],
        // With a rate as low the settings could not be changed back for days.
        ['max_write_bytes_per_second', 9],
        ['max_write_values_per_second', 101],
        ['max_write_values_per_second', 0],
        ['max_storage_bytes', 2 ** 40],
      ] as const) {
        const tooMuch = await caller.put<Problem>(`/organizations/${id}/settings`, {
          settings: { [name]: value },
        });
        expect([tooMuch.status, tooMuch.body.errors?.[0]?.path]).to.deep.equal([422, `settings.${name}`]);
      }
      await setting(id, caller, { max_write_values_per_second: 1 });
      expect((await caller.post('/jobs', job({ a: 1, b: 2, c: 3 }))).status).to.equal(201);
      expect((await caller.post('/jobs', job({ a: 1 }))).status).to.equal(429);
    });

    it('ends at its quota of storage: what is there is served and its jobs can end', async () => {
      const { id, caller } = await newOrganization();
      const made = (await caller.post<Job>('/jobs', job({ a: 1 }))).body;
      const other = (await caller.post<Job>('/jobs', job({ a: 2 }))).body;
      await setting(id, caller, { max_storage_bytes: 1_000_000 });
      const path = `/jobs/${made.job_id}`;
      for (const refused of [
        await caller.post<Problem>('/jobs', job({ a: 1 })),
        await caller.put<Problem>(`${path}/task-results/t`, { service_name: 'vina', result_data: {} }),
        await caller.post<Problem>(`${path}/artifacts`, { name: 'a', purpose: 'b', uri: 's3://a/b' }),
      ])
        expect([refused.status, refused.body.code]).to.deep.equal([403, 'storage_quota_exceeded']);
      expect((await caller.get(path)).status).to.equal(200);
      expect((await caller.patch(`/jobs/${other.job_id}`, { status: 'CANCELED' })).status).to.equal(200);
      const worker = { name: 'node-1' };
      const claimed = await caller.post<{ items: { lease: { lease_id: string } }[] }>('/jobs/claim', {
        worker,
        engines: ['vina'],
        limit: 1,
      });
      const end = { lease_id: claimed.body.items[0]?.lease.lease_id, outcome: 'COMPLETED' };
      const task_results = [{ task_name: 't', service_name: 'vina', result_data: {} }];
      const full = await caller.post<Problem>(`${path}/complete`, { ...end, task_results });
      expect([full.status, full.body.code]).to.deep.equal([403, 'storage_quota_exceeded']);
      const error = { code: 'outputs_refused', message: 'no room', retryable: false };
      const failed = await caller.post<Job>(`${path}/complete`, { ...end, outcome: 'FAILED', error });
      expect([failed.status, failed.body.status]).to.deep.equal([200, 'FAILED']);
      await caller.put(`/organizations/${id}/settings`, { settings: { max_storage_bytes: 2 ** 30 } });
      await until(
        'the settings arrive',
        async () => (await caller.post('/jobs', job({ a: 1 }))).status === 201,
      );
    });
  });

  it('does not fill the audit trail with its names', async () => {
    const wide = await HttpService.start(deployment, [], {
      ORG_WRITE_BYTES_PER_SECOND: '100000000',
      ORG_WRITE_VALUES_PER_SECOND: '1000000',
    });
    try {
      const { id } = await newOrganization();
      const caller = wide.as(deployment.token(id, ['org_admin']));
      const settings = Object.fromEntries(
        Array.from({ length: 30_000 }, (_, n) => [`a name of a setting ${n}`, 0]),
      );
      expect((await caller.put(`/organizations/${id}/settings`, { settings })).status).to.equal(200);
      const { body, text } = await caller.get<Page<AuditEntry>>(`/organizations/${id}/audit-logs`);
      expect(body.items).to.have.length(1);
      expect(body.items[0]?.details).to.include({ version: 1, is_cut: true });
      expect(text.length).to.be.below(16_384);
    } finally {
      await wide.close();
    }
  });
});
