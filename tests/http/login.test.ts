import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import type { OrganizationRole } from '../../domain/identity/role.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';

interface Token {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
}

describe('POST /auth/token', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  const password = 'correct horse battery staple';

  before(async () => {
    deployment = await createDeployment({ JWT_ACCESS_TTL_SECONDS: '900' });
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
    await service.container.get(TOKENS.useCases).ensureAdministrator('Root@Example.org', password);
    await join('one@example.org', { alpha: ['member'] });
    await join('two@example.org', { alpha: ['member'], beta: ['org_admin', 'worker'] });
    await join('none@example.org', {});
    await join('disabled@example.org', { alpha: ['member'] });
    await deployment.administer(
      `update users set status = 'disabled' where email = 'disabled@example.org'`,
      [],
      deployment.metadataDatabase,
    );
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const join = async (email: string, memberships: Record<string, OrganizationRole[]>): Promise<void> => {
    const { users, members } = service.container.get(TOKENS.metadataDatabase);
    const passwordHash = await new Argon2Passwords().hash(password);
    const { userId } = await users.ensureUser({ email, passwordHash, platformAdmin: false });
    for (const [id, roles] of Object.entries(memberships)) {
      await members.add(organizationId(id), userId, roles);
    }
  };
  const login = (body: object) => service.call<Token & Problem>('POST', '/auth/token', { body });

  it('gives the bootstrap administrator a token that administers the platform', async () => {
    const { status, body } = await login({ email: 'root@example.org', password });

    expect(status).to.equal(200);
    expect(body).to.have.all.keys(
      'access_token',
      'token_type',
      'expires_in',
      'refresh_token',
      'refresh_expires_in',
    );
    expect(body).to.include({ token_type: 'bearer', expires_in: 900 });
    const claims = jwt.decode(body.access_token, { json: true });
    expect(claims).to.include({ iss: 'mad.local', aud: 'mad' });
    expect(claims).to.have.property('exp', (claims?.iat ?? 0) + 900);
    expect(claims).not.to.have.property('org_id');
    expect((await service.as(body.access_token).get('/organizations')).status).to.equal(200);
    expect((await service.as(body.access_token).get('/jobs')).status).to.equal(403);
  });

  it('makes the bootstrap administrator once, and leaves it as it is', async () => {
    const { ensureAdministrator } = service.container.get(TOKENS.useCases);
    await Promise.all([1, 2, 3].map((n) => ensureAdministrator('ROOT@example.org', `another password ${n}`)));
    expect((await login({ email: 'root@example.org', password })).status).to.equal(200);
    expect((await login({ email: 'root@example.org', password: 'another password 1' })).status).to.equal(401);
  });

  it('gives a member of one organization a token for it, named or not, in any case of the address', async () => {
    for (const body of [
      { email: 'one@example.org', password },
      { email: 'ONE@example.org', password, org_id: 'alpha' },
    ]) {
      const { status, body: token } = await login(body);
      expect(status).to.equal(200);
      const claims = jwt.decode(token.access_token, { json: true });
      expect(claims).to.deep.include({ org_id: 'alpha', roles: ['member'] });
      const caller = service.as(token.access_token);
      expect((await caller.post('/jobs', { engine: 'vina', inputs: { a: 1 } })).status).to.equal(201);
      expect((await caller.get('/organizations/beta')).status).to.equal(403);
    }
  });

  it('gives a member of several the one that is named, and unnamed says which there are', async () => {
    const { body } = await login({ email: 'two@example.org', password, org_id: 'beta' });
    const claims = jwt.decode(body.access_token, { json: true });
    expect(claims).to.deep.include({ org_id: 'beta', roles: ['org_admin', 'worker'] });
    expect((await service.as(body.access_token).get('/organizations/beta/settings')).status).to.equal(200);
    const unnamed = await login({ email: 'two@example.org', password });
    expect([unnamed.status, unnamed.body.code, unnamed.body.organizations]).to.deep.equal([
      403,
      'organization_choice_required',
      ['alpha', 'beta'],
    ]);
    expect((await login({ email: 'two@example.org', password: 'wrong' })).body.code).to.equal(
      'unauthenticated',
    );
  });

  it('answers every refusal with the same 401', async () => {
    const refusals = [
      { email: 'one@example.org', password: 'wrong' },
      { email: 'one@example.org', password: `${password} ` },
      { email: 'nobody@example.org', password },
      { email: 'disabled@example.org', password },
      { email: 'disabled@example.org', password: 'wrong' },
      { email: 'none@example.org', password },
      { email: 'one@example.org', password, org_id: 'beta' },
      { email: 'one@example.org', password, org_id: 'nowhere' },
      { email: 'root@example.org', password, org_id: 'alpha' },
      { email: "' or 1=1 --", password },
      { email: 'two@example.org', password: 'wrong' },
    ];
    const seen = new Set<string>();
    for (const body of refusals) {
      const reply = await login(body);
      expect([reply.status, reply.headers['www-authenticate']]).to.deep.equal([401, 'Bearer']);
      seen.add(reply.text.replaceAll(reply.body.request_id, 'ID'));
    }
    expect([...seen]).to.have.length(1);
    expect([...seen].join()).to.include('"code":"unauthenticated"');
  });
});
