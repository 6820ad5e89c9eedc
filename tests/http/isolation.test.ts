import { expect } from 'chai';
import type { Role } from '../../domain/identity/role.ts';
import type { Route } from '../../presentation/http/routing/route.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { AuditEntry, Job, Page, Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { sampleBodyOf, samplePathOf } from '../support/route-samples.ts';
import { rowCounts } from '../support/row-counts.ts';
import type { Method } from '../support/send.ts';

const ROLES: readonly Role[] = ['org_admin', 'member', 'worker', 'platform_admin'];

describe('One organization and another', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let job: Job;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha', 'beta', 'ghost']);
    await deployment.register('alpha', 'beta');
    for (const organization of ['alpha', 'beta']) {
      const member = service.as(deployment.token(organization, ['member']));
      const made = await member.post<Job>('/jobs', { engine: 'vina', inputs: { of: organization } });
      job = made.body;
    }
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  /** The call with a body that would be served; `path` names an organization as given. */
  const ask = (
    route: Route,
    path: string,
    roles: readonly Role[],
    headers: Readonly<Record<string, string>> = {},
  ) => {
    // The table holds exactly these methods in lower case.
    const method = route.method.toUpperCase() as Method;
    const body = sampleBodyOf(route);
    // Somebody else each time: of one caller only so many refusals a minute get an entry each.
    const token = deployment.token('alpha', roles, { sub: `user of ${headers['X-Request-Id'] ?? 'none'}` });
    return service.call<Problem>(method, path, { token, headers, ...(body && { body }) });
  };
  const denials = async (requestId: string): Promise<readonly AuditEntry[]> => {
    const administrator = service.as(deployment.token('alpha', ['org_admin']));
    const path = '/organizations/alpha/audit-logs?limit=200&action=organization.access_denied';
    const { body } = await administrator.get<Page<AuditEntry>>(path);
    return body.items.filter((entry) => entry.request_id === requestId);
  };
  /** Everything but the caller's own trail, which a refusal is written into. */
  const everything = async () => {
    const {
      audit_logs: _,
      audit_chains: __,
      ...metadata
    } = await rowCounts(deployment, deployment.metadataDatabase);
    const beta = await rowCounts(deployment, deployment.databaseName('beta'));
    return { metadata, beta, databases: await deployment.databases() };
  };

  it('header-differs-from-claim-is-403-and-audited', async () => {
    const before = await everything();
    const routes = service.routes.filter(({ scope }) => scope !== 'public');
    expect(routes.length).to.be.greaterThan(20);
    for (const [n, route] of routes.entries()) {
      const bodies = new Set<string>();
      for (const [which, foreign] of ['beta', 'ghost'].entries()) {
        const id = `header-${n}-${which}`;
        const path = samplePathOf(route, 'alpha', job.job_id);
        const reply = await ask(route, path, ROLES, { 'X-Org-Id': foreign, 'X-Request-Id': id });
        expect([path, reply.status, reply.body.code]).to.deep.equal([
          path,
          403,
          'organization_access_denied',
        ]);
        bodies.add(reply.text.replaceAll(id, 'ID'));
        const [entry, ...more] = await denials(id);
        expect(more).to.deep.equal([]);
        expect(entry).to.deep.include({
          org_id: 'alpha',
          user_id: `user of ${id}`,
          entity_type: 'organization',
          entity_id: foreign,
          details: { source: 'header', route: route.path },
        });
      }
      expect(bodies.size, `${route.path}: the same answer whether the organization exists`).to.equal(1);
    }
    expect(await everything()).to.deep.equal(before);
  });

  it('header that differs again and again is counted, not listed without end', async () => {
    const eve = service.as(deployment.token('alpha', ['member'], { sub: 'eve' }));
    for (let n = 0; n < 40; n += 1) {
      expect((await eve.get<Problem>('/jobs', { 'X-Org-Id': 'beta' })).status).to.equal(403);
    }
    await service.container.get(TOKENS.useCases).summarizeDeniedAccess({ all: true });
    const administrator = service.as(deployment.token('alpha', ['org_admin']));
    const { body } = await administrator.get<Page<AuditEntry>>('/organizations/alpha/audit-logs?limit=200');
    const ofEve = body.items.filter(({ user_id }) => user_id === 'eve');
    expect(ofEve.filter(({ action }) => action === 'organization.access_denied')).to.have.length(30);
    const [sum, ...more] = ofEve.filter(({ action }) => action !== 'organization.access_denied');
    expect(more).to.deep.equal([]);
    expect(sum).to.deep.include({ org_id: 'alpha', action: 'organization.access_denied_repeatedly' });
    expect(sum?.details).to.include({ refusals_not_listed: 10 });
  });

  it('platform administrator’s header that differs from the path is in the trail of the platform', async () => {
    const root = service.as(deployment.token(null, ['platform_admin'], { sub: 'root' }));
    const reply = await root.get<Problem>('/organizations/alpha', { 'X-Org-Id': 'beta' });
    expect([reply.status, reply.body.code]).to.deep.equal([403, 'organization_access_denied']);
    const path = '/admin/audit-logs?action=organization.access_denied';
    const { items } = (await root.get<Page<AuditEntry>>(path)).body;
    expect(items.find(({ user_id }) => user_id === 'root')).to.deep.include({
      org_id: null,
      entity_id: 'beta',
      details: { source: 'header', route: '/organizations/{org_id}' },
    });
  });

  it('header that agrees with the claim is served', async () => {
    const member = service.as(deployment.token('beta', ['member']));
    const reply = await member.get<Job>(`/jobs/${job.job_id}`, { 'X-Org-Id': 'beta' });
    expect([reply.status, reply.body.inputs]).to.deep.equal([200, { of: 'beta' }]);
    const twice = await member.get<Problem>(`/jobs/${job.job_id}`, { 'X-Org-Id': ['beta', 'alpha'] });
    expect([403, 422]).to.include(twice.status);
  });

  it('path-differs-from-claim-is-403-on-every-route', async () => {
    const before = await everything();
    const routes = service.routes.filter(({ path }) => path.includes('{org_id}'));
    expect(routes.length).to.be.greaterThan(15);
    for (const [n, route] of routes.entries()) {
      for (const roles of [['org_admin'], ['member'], ['worker'], ROLES] as const) {
        const bodies = new Set<string>();
        for (const [which, foreign] of ['beta', 'ghost'].entries()) {
          const id = `path-${n}-${roles.join('-')}-${which}`;
          const path = samplePathOf(route, foreign, job.job_id);
          const reply = await ask(route, path, roles, { 'X-Request-Id': id });
          expect([path, reply.status, reply.body.code]).to.deep.equal([
            path,
            403,
            'organization_access_denied',
          ]);
          const { date: _, ...headers } = reply.headers;
          bodies.add((JSON.stringify(headers) + reply.text).replaceAll(id, 'ID'));
          if (roles === ROLES) expect((await denials(id))[0]?.entity_id).to.equal(foreign);
        }
        expect(bodies.size, `${route.path}: the same answer whether the organization exists`).to.equal(1);
      }
    }
    expect(await everything()).to.deep.equal(before);
  });

  it('path of another organization is 403 before the body, the job or the role is looked at', async () => {
    const worker = service.as(deployment.token('alpha', ['worker']));
    for (const reply of [
      await worker.post<Problem>('/organizations/beta/jobs', { nonsense: true }),
      await worker.put<Problem>('/organizations/beta/settings', []),
      await worker.get<Problem>('/organizations/beta/jobs/not-a-uuid'),
      await worker.get<Problem>('/organizations/beta/jobs?limit=x'),
      await worker.post<Problem>('/organizations/beta/jobs', '{'),
      await worker.post<Problem>('/organizations/beta/jobs', '{}', { 'Content-Type': 'text/plain' }),
    ]) {
      expect([reply.status, reply.body.code]).to.deep.equal([403, 'organization_access_denied']);
    }
  });

  it('claim without an organization opens no results, whatever roles it lists', async () => {
    for (const roles of [ROLES, ['member', 'worker', 'org_admin']] as const) {
      const caller = service.as(deployment.token(null, roles));
      for (const path of ['/jobs', '/organizations/beta/jobs', `/organizations/beta/jobs/${job.job_id}`]) {
        const reply = await caller.get<Problem>(path, { 'X-Org-Id': 'beta' });
        expect(reply.status).to.equal(403);
      }
    }
  });

  it('claim that lists platform_admin beside an organization administers no platform', async () => {
    const caller = service.as(deployment.token('alpha', ['platform_admin', 'member']));
    for (const path of ['/organizations', '/admin/databases', '/admin/databases/alpha']) {
      expect((await caller.get<Problem>(path)).body.code).to.equal('role_required');
    }
  });
});
