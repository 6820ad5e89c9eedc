import { expect } from 'chai';
import type { Role } from '../../../domain/identity/role.ts';
import { createRouteTable } from '../../../presentation/http/route-table.ts';
import type { Route } from '../../../presentation/http/routing/route.ts';
import { CALLERS, mayCall, MATRIX } from '../../support/fakes/access-matrix.ts';
import { FakeService } from '../../support/fakes/fake-service.ts';
import { sampleBody, samplePath, sampleService, seedArtifact, titleOf } from '../../support/fakes/samples.ts';

/** For requests that are refused before anything is done: to make one takes longer than to ask it. */
const refusing = new FakeService();
const routes = createRouteTable(refusing.deps);
const inAcme = ({ role, belongs }: (typeof CALLERS)[number]) => ({
  role,
  organizationId: belongs ? 'acme' : null,
});
const guarded = routes.filter(({ scope }) => scope !== 'public');

const send = (client: ReturnType<FakeService['as']>, route: Route, path: string) => {
  const request = client[route.method](path);
  const body = sampleBody(route);
  return body === undefined ? request : request.send(body);
};

/** Asked for as JSON. */
const ONLY_A_STREAM = [406];

describe('The route table', () => {
  it('holds the routes of the contract and no others', () => {
    expect(routes.map(titleOf)).to.have.members(Object.keys(MATRIX));
  });

  it('gives every route a name of its own', () => {
    expect(new Set(routes.map(({ name }) => name)).size).to.equal(routes.length);
  });

  it('serves every route of jobs and files by the claim alone as well', () => {
    const home = '/organizations/{org_id}';
    for (const [begin, count] of [
      ['/jobs', 17],
      ['/files', 6],
    ] as const) {
      const ofHome = routes.filter(({ path }) => path.startsWith(`${home}${begin}`));
      const byClaim = routes.filter(({ path }) => path.startsWith(begin));
      expect(ofHome).to.have.length(count);
      expect(byClaim.map(titleOf)).to.deep.equal(ofHome.map((route) => titleOf(route).replace(home, '')));
    }
  });

  it('leaves no route that names an organization public', () => {
    const open = routes.filter(({ scope, path }) => scope === 'public' && path.includes('{org_id}'));
    expect(open).to.be.empty;
  });

  it('lets no platform administrator near results', () => {
    const open = routes.filter(
      ({ scope, roles }) => (scope === 'results' || scope === 'files') && roles.includes('platform_admin'),
    );
    expect(open).to.be.empty;
  });

  for (const route of guarded) {
    describe(titleOf(route), () => {
      it('answers 401 without a token', async () => {
        const response = await send(refusing.anonymous(), route, samplePath(route));
        expect(response.status).to.equal(401);
        expect(response.body.code).to.equal('unauthenticated');
        expect(response.headers['www-authenticate']).to.equal('Bearer');
      });

      for (const { role, organizationId } of CALLERS.map(inAcme)) {
        const allowed = mayCall(role, titleOf(route));
        it(`${allowed ? 'serves' : 'refuses'} a ${role}`, async () => {
          if (allowed) {
            const service = await sampleService(new FakeService(), role);
            await seedArtifact(service);
            const token = service.tokens.of(organizationId, role);
            const response = await send(service.as(token), route, samplePath(route));
            expect(response.status).to.be.oneOf(
              titleOf(route) === 'GET /admin/events' ? ONLY_A_STREAM : [200, 201, 204],
            );
            const schema = route.replies[response.status]?.schema;
            expect(schema?.safeParse(response.body).error).to.be.undefined;
            // RFC 9110: not with 204, where a proxy could wait for the body that they promise.
            const describesBody = 'content-length' in response.headers || 'content-type' in response.headers;
            expect(describesBody).to.equal(response.status !== 204);
          } else {
            const client = refusing.as(refusing.tokens.of(organizationId, role));
            const response = await send(client, route, samplePath(route));
            expect(response.status).to.equal(403);
            expect(response.body.code).to.equal('role_required');
            expect(refusing.databases.acquired).to.be.empty;
          }
        });
      }

      it('refuses a token of the organization without any role', async () => {
        const response = await send(refusing.acme(), route, samplePath(route));
        expect(response.status).to.equal(403);
        expect(response.body.code).to.equal('role_required');
      });

      it("gives no weight to an organization's roles without its claim", async () => {
        const token = refusing.tokens.of(null, 'org_admin', 'member', 'worker');
        const response = await send(refusing.as(token), route, samplePath(route));
        expect(response.status).to.equal(403);
        expect(refusing.databases.acquired).to.be.empty;
      });
    });
  }
});

describe('The organization guard', () => {
  const allRoles: readonly Role[] = ['platform_admin', 'org_admin', 'member', 'worker'];

  for (const route of guarded.filter(({ path }) => path.includes('{org_id}'))) {
    it(`refuses another organization's path on ${titleOf(route)}, alike whether it exists`, async () => {
      const service = new FakeService();
      const client = service.acme(...allRoles);
      const existing = await send(client, route, samplePath(route, 'beta'));
      const unknown = await send(client, route, samplePath(route, 'nobody'));
      for (const { status, body } of [existing, unknown]) {
        expect(status).to.equal(403);
        expect(body.code).to.equal('organization_access_denied');
      }
      const { request_id: _1, instance: _2, ...first } = existing.body;
      const { request_id: _3, instance: _4, ...second } = unknown.body;
      expect(first).to.deep.equal(second);
      expect(JSON.stringify(first)).not.to.contain('beta');
      expect(service.databases.acquired).to.be.empty;
      const written = service.metadata.trail;
      expect(written.map(({ action, entityId }) => [action, entityId])).to.deep.equal([
        ['organization.access_denied', 'beta'],
        ['organization.access_denied', 'nobody'],
      ]);
      expect(written[0]).to.include({ organizationId: 'acme' });
      expect(written[0]?.details).to.deep.equal({ source: 'path', route: route.path });
    });
  }

  for (const route of guarded) {
    it(`refuses another organization's X-Org-Id on ${titleOf(route)}`, async () => {
      const service = new FakeService();
      const client = service.acme(...allRoles).set('X-Org-Id', 'beta');
      const { status, body } = await send(client, route, samplePath(route));
      expect(status).to.equal(403);
      expect(body.code).to.equal('organization_access_denied');
      expect(service.metadata.trail.at(-1)?.details).to.deep.equal({ source: 'header', route: route.path });
      expect(service.databases.acquired).to.be.empty;
    });

    it(`refuses a malformed X-Org-Id on ${titleOf(route)}`, async () => {
      const written = refusing.metadata.trail.length;
      const client = refusing.acme(...allRoles).set('X-Org-Id', 'Beta; DROP');
      const { status, body } = await send(client, route, samplePath(route));
      expect(status).to.equal(422);
      expect(body.errors.map(({ path }: { path: string }) => path)).to.deep.equal(['X-Org-Id']);
      expect(refusing.metadata.trail).to.have.length(written);
    });
  }

  it('takes a header that agrees with the claim', async () => {
    const service = new FakeService();
    const response = await service.acme('member').get('/jobs').set('X-Org-Id', 'acme');
    expect(response.status).to.equal(200);
    expect(service.databases.acquired).to.deep.equal(['acme']);
  });

  it('refuses two X-Org-Id headers', async () => {
    const response = await new FakeService().acme('member').get('/jobs').set('X-Org-Id', 'acme, beta');
    expect(response.status).to.equal(422);
  });

  it('refuses a token that has neither a claim nor platform_admin, and records what it asked for', async () => {
    const service = new FakeService();
    const client = service.as(service.tokens.of(null, 'member'));
    const byPath = await client.get('/organizations/acme/jobs');
    expect(byPath.body.code).to.equal('organization_access_denied');
    const byClaim = await client.get('/jobs');
    expect(byClaim.body.code).to.equal('organization_access_denied');
    expect(service.metadata.trail.map(({ entityId }) => entityId)).to.deep.equal(['acme']);
  });

  it('lets no header choose an organization for a platform administrator who is also a member', async () => {
    const service = new FakeService();
    const client = service.as(service.tokens.of(null, 'platform_admin', 'member'));
    for (const path of ['/jobs', '/organizations/acme/jobs']) {
      const response = await client.get(path).set('X-Org-Id', 'acme');
      expect(response.body.code).to.equal('role_required');
    }
    expect(service.databases.acquired).to.be.empty;
  });

  it("ignores a platform administrator's well-formed X-Org-Id where no organization is named", async () => {
    const response = await new FakeService().admin().get('/organizations').set('X-Org-Id', 'beta');
    expect(response.status).to.equal(200);
  });

  it('refuses a platform administrator whose header and path name two organizations', async () => {
    const response = await new FakeService().admin().get('/organizations/acme').set('X-Org-Id', 'beta');
    expect(response.body.code).to.equal('organization_access_denied');
  });

  it('stands when the audit trail cannot be written', async () => {
    const service = new FakeService();
    service.metadata.isTrailAway = true;
    const response = await service.acme('member').get('/organizations/beta/jobs');
    expect(response.body.code).to.equal('organization_access_denied');
  });

  for (const id of [
    'template',
    'ACME',
    'a'.repeat(52),
    '-acme',
    'acme-',
    '%00',
    '%2e%2e',
    '%2e%2e%2facme',
    "a'--",
    'acme%22',
    '%C3%A4cme',
    '%F0%9F%92%A9',
    'acme%20',
    'acme%0a',
    'a;b',
  ]) {
    it(`refuses the organization id ${id} before anything touches it`, async () => {
      const service = new FakeService();
      const response = await service.acme('member').get(`/organizations/${id}/jobs`);
      expect(response.status).to.equal(422);
      expect(response.body.errors.map(({ path }: { path: string }) => path)).to.deep.equal(['org_id']);
      expect(service.metadata.trail).to.be.empty;
      expect(service.databases.acquired).to.be.empty;
    });
  }

  for (const id of ['%zz', '%', '%ff', '%c3%28']) {
    it(`answers a path that cannot be decoded (${id}) with a problem`, async () => {
      const service = new FakeService();
      const response = await service.acme('member').get(`/organizations/${id}/jobs`);
      expect(response.status).to.equal(404);
      expect(response.body.code).to.equal('not_found');
      expect(response.type).to.equal('application/problem+json');
    });
  }

  it('asks for a token before it judges an organization id', async () => {
    const response = await new FakeService().anonymous().get('/organizations/TEMPLATE/jobs');
    expect(response.status).to.equal(401);
  });
});
