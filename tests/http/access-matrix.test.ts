import { expect } from 'chai';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { Route } from '../../presentation/http/routing/route.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { Job, Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { sampleBodyOf, samplePathOf } from '../support/route-samples.ts';
import type { Method } from '../support/send.ts';
import { CALLERS, MATRIX, mayCall } from '../support/fakes/access-matrix.ts';
import { titleOf } from '../support/fakes/samples.ts';

const PASSWORD = 'correct horse battery staple';

describe('The access matrix over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let job: Job;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha']);
    await deployment.register('alpha');
    const member = service.as(deployment.token('alpha', ['member']));
    job = (await member.post<Job>('/jobs', { engine: 'vina', inputs: { a: 1 } })).body;
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const routeOf = (title: string): Route => {
    const route = service.routes.find((each) => titleOf(each) === title);
    if (route === undefined) throw new Error(`there is no route ${title}`);
    return route;
  };
  const ask = (title: string, token: string | undefined) => {
    const route = routeOf(title);
    const body = sampleBodyOf(route);
    // The table holds exactly these methods in lower case.
    const method = route.method.toUpperCase() as Method;
    return service.call<Problem>(method, samplePathOf(route, 'alpha', job.job_id), {
      ...(token !== undefined && { token }),
      ...(body && { body }),
    });
  };
  const codeOf = (reply: { readonly status: number; readonly body: Problem | null }): string =>
    `${reply.status} ${reply.body?.code ?? ''}`;

  it('has a row for every route, and none for another', () => {
    expect(service.routes.map(titleOf)).to.have.members(Object.keys(MATRIX));
  });

  for (const [title, letters] of Object.entries(MATRIX)) {
    if (letters === 'B') {
      it(`${title} serves pages of the service alone, and those by their cookie`, async () => {
        const route = routeOf(title);
        const method = route.method.toUpperCase() as Method;
        const body = sampleBodyOf(route);
        const from = async (headers: Readonly<Record<string, string>>) =>
          codeOf(await service.call<Problem>(method, route.path, { headers, ...(body && { body }) }));
        expect(await from({ 'Sec-Fetch-Site': 'cross-site' })).to.equal('403 cross_site_request');
        const own = await from({ 'Sec-Fetch-Site': 'same-origin' });
        expect(own).to.equal(method === 'DELETE' ? '204 ' : '401 unauthenticated');
      });
      continue;
    }
    if (letters === '-') {
      it(`${title} asks nobody for a token`, async () => {
        const reply = await ask(title, undefined);
        expect(codeOf(reply)).not.to.match(/^403/);
        // A login is refused for what it says, with a token or without.
        if (!title.includes('/auth/')) expect(codeOf(reply)).not.to.match(/^401/);
      });
      continue;
    }

    it(`${title} asks for a token`, async () => {
      expect(codeOf(await ask(title, undefined))).to.equal('401 unauthenticated');
      expect(codeOf(await ask(title, 'not.a.token'))).to.equal('401 unauthenticated');
    });

    for (const { role, belongs } of CALLERS) {
      const allowed = mayCall(role, title);
      it(`${title} ${allowed ? 'serves' : 'refuses'} a ${role}`, async () => {
        const reply = await ask(title, deployment.token(belongs ? 'alpha' : null, [role]));
        if (allowed) expect(codeOf(reply), reply.text).not.to.match(/^40[13]/);
        else expect(codeOf(reply)).to.equal('403 role_required');
      });
    }

    it(`${title} refuses a token without a role`, async () => {
      expect(codeOf(await ask(title, deployment.token('alpha', [])))).to.equal('403 role_required');
    });
  }

  it('gives no weight to a cookie', async () => {
    const { users } = service.container.get(TOKENS.metadataDatabase);
    const passwordHash = await new Argon2Passwords().hash(PASSWORD);
    const email = 'operator@example.org';
    await users.ensureUser({ email, passwordHash, platformAdmin: true });
    const { headers } = await service.call('POST', '/console/session', {
      headers: { 'Sec-Fetch-Site': 'same-origin' },
      body: { email, password: PASSWORD },
    });
    const cookie = String(headers['set-cookie']).split(';')[0] ?? '';
    expect(cookie).to.match(/^mad_session=.{43}$/);
    for (const [title, letters] of Object.entries(MATRIX)) {
      if (letters === '-' || letters === 'B') continue;
      const route = routeOf(title);
      const body = sampleBodyOf(route);
      const reply = await service.call<Problem>(
        route.method.toUpperCase() as Method,
        samplePathOf(route, 'alpha', job.job_id),
        { headers: { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' }, ...(body && { body }) },
      );
      expect(codeOf(reply), title).to.equal('401 unauthenticated');
    }
  });

  it('holds for a fleet: it sees where there is work, is exchanged, and may do nothing else', async () => {
    const platform = service.as(deployment.token(null, ['platform_admin']));
    const fleet = await platform.post<{ service_account_id: string; key: string }>(
      '/admin/service-accounts',
      {
        name: 'fleet',
      },
    );
    await platform.put(`/organizations/alpha/service-accounts/${fleet.body.service_account_id}`);
    const { body } = await service.call<{ access_token: string }>('POST', '/auth/token', {
      body: { key: fleet.body.key },
    });
    for (const [title, letters] of Object.entries(MATRIX)) {
      if (letters === '-' || letters === 'B') continue;
      const code = codeOf(await ask(title, body.access_token));
      if (letters.includes('F')) expect(code, title).not.to.match(/^40[13]/);
      // It speaks for no organization: a path that names one is refused before its roles are looked at.
      else expect(code, title).to.match(/^403 (?:organization_access_denied|role_required)$/);
    }
  });

  it('holds for people who logged in, as for tokens made elsewhere', async () => {
    const { users } = service.container.get(TOKENS.metadataDatabase);
    const passwordHash = await new Argon2Passwords().hash(PASSWORD);
    const email = 'member@example.org';
    const { userId } = await users.ensureUser({ email, passwordHash, platformAdmin: false });
    const platform = service.as(deployment.token(null, ['platform_admin']));
    await platform.post('/organizations/alpha/members', { email, roles: ['member'] });
    const { body } = await service.call<{ access_token: string }>('POST', '/auth/token', {
      body: { email, password: PASSWORD },
    });
    for (const title of Object.keys(MATRIX).filter((each) => !['-', 'B'].includes(MATRIX[each] ?? ''))) {
      // Its own requests would end the session, or the membership.
      if (title.startsWith('PUT /users/me')) continue;
      const code = codeOf(await ask(title, body.access_token));
      // Only who submitted a job, or moves jobs along, may cancel it or submit it anew; this one is another's.
      if (/^PATCH .*\/jobs\/\{job_id\}$|\/retry$/.test(title)) continue;
      if (mayCall('member', title)) expect(code, title).not.to.match(/^40[13]/);
      else expect(code, title).to.equal('403 role_required');
    }
    expect(userId).to.be.a('string');
  });
});
