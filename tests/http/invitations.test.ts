import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import type { IdentityReply, MemberReply, TokenReply, UserReply } from '../support/access-contract.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { AuditEntry, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

const PASSWORD = 'correct horse battery staple';
const ISSUER = 'https://people.example';
const PER_ACCOUNT = 5;
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

interface OwnReply extends UserReply {
  readonly memberships: readonly { readonly org_id: string; readonly roles: readonly string[] }[];
  readonly invitations: readonly { readonly org_id: string; readonly roles: readonly string[] }[];
}

describe('Invitations', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;
  let ofAlpha: Caller;
  let ofBeta: Caller;
  let people = 0;

  before(async () => {
    deployment = await createDeployment({
      LOGIN_ATTEMPTS_PER_ACCOUNT: String(PER_ACCOUNT),
      LOGIN_ATTEMPTS_PER_ADDRESS: '10000',
      JWT_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      JWT_EXTERNAL_ISSUER: ISSUER,
    });
    service = await HttpService.start(deployment);
    await deployment.register('alpha', 'beta', 'gamma');
    platform = service.as(deployment.token(null, ['platform_admin']));
    ofAlpha = service.as(deployment.token('alpha', ['org_admin']));
    ofBeta = service.as(deployment.token('beta', ['org_admin']));
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const newEmail = (): string => `person-${(people += 1)}@example.org`;
  const login = (body: object) => service.call<TokenReply & Problem>('POST', '/auth/token', { body });
  const claimsOf = (token: string) => jwt.decode(token, { json: true });
  /** A user with a password, who belongs to these organizations. */
  const enrol = async (...organizations: readonly string[]): Promise<UserReply> => {
    const email = newEmail();
    const { body } = await platform.post<UserReply>('/users', { email });
    await platform.put(`/users/${body.user_id}/password`, { password: `${PASSWORD} at first` });
    for (const id of organizations) {
      const added = await platform.post(`/organizations/${id}/members`, { email, roles: ['member'] });
      expect(added.status).to.equal(201);
    }
    if (organizations.length > 0) {
      const [org_id] = organizations;
      await login({ email, password: `${PASSWORD} at first`, new_password: PASSWORD, org_id });
    }
    return body;
  };
  const invite = (by: Caller, organization: string, email: string, roles = ['member']) =>
    by.post<MemberReply & Problem>(`/organizations/${organization}/members`, { email, roles });
  const externalToken = (subject: string): string =>
    jwt.sign({ jti: String(Math.random()) }, privateKey, {
      algorithm: 'ES256',
      subject,
      issuer: ISSUER,
      audience: 'mad',
      expiresIn: 600,
    });

  it('of another organization lock nobody out, however many there are', async () => {
    const { email, user_id } = await enrol('alpha');
    await platform.post<IdentityReply>(`/users/${user_id}/identities`, { issuer: ISSUER, subject: user_id });
    expect((await invite(ofBeta, 'beta', email, ['org_admin'])).status).to.equal(201);
    for (let n = 0; n < PER_ACCOUNT + 2; n += 1) {
      const reply = await login({ email, password: PASSWORD });
      expect([reply.status, claimsOf(reply.body.access_token)?.['org_id']]).to.deep.equal([200, 'alpha']);
    }
    const external = await service.as(externalToken(user_id)).get('/organizations/alpha');
    expect(external.status, 'a token of the identity provider').to.equal(200);
  });

  it('count for nothing: no token, no role, no membership among the user’s own', async () => {
    const { email } = await enrol('alpha');
    await invite(ofBeta, 'beta', email, ['org_admin']);
    expect((await login({ email, password: PASSWORD, org_id: 'beta' })).status).to.equal(401);
    const { body } = await login({ email, password: PASSWORD });
    const own = await service.as(body.access_token).get<OwnReply>('/users/me');
    expect(own.body.memberships).to.deep.equal([{ org_id: 'alpha', roles: ['member'] }]);
    expect(own.body.invitations.map(({ org_id, roles }) => [org_id, roles])).to.deep.equal([
      ['beta', ['org_admin']],
    ]);
  });

  it('become memberships when their user accepts', async () => {
    const { email, user_id } = await enrol('alpha');
    await invite(ofBeta, 'beta', email, ['worker', 'member']);
    const self = service.as((await login({ email, password: PASSWORD })).body.access_token);
    expect((await self.post('/users/me/invitations/beta/accept', undefined)).status).to.equal(204);
    const own = await self.get<OwnReply>('/users/me');
    expect(own.body.invitations).to.deep.equal([]);
    expect(own.body.memberships.map(({ org_id }) => org_id)).to.deep.equal(['alpha', 'beta']);
    const { body } = await login({ email, password: PASSWORD, org_id: 'beta' });
    expect(claimsOf(body.access_token)).to.deep.include({ org_id: 'beta', roles: ['member', 'worker'] });
    const unnamed = await login({ email, password: PASSWORD });
    expect([unnamed.status, unnamed.body.organizations]).to.deep.equal([403, ['alpha', 'beta']]);
    const again = await self.post<Problem>('/users/me/invitations/beta/accept', undefined);
    expect([again.status, again.body.code]).to.deep.equal([404, 'invitation_not_found']);
    const trail = await ofBeta.get<Page<AuditEntry>>('/organizations/beta/audit-logs?action=member.accepted');
    expect(trail.body.items[0]).to.deep.include({ user_id, entity_id: user_id });
  });

  it('end when their user declines, or the organization takes them back', async () => {
    const { email, user_id } = await enrol('alpha');
    const self = service.as((await login({ email, password: PASSWORD })).body.access_token);
    await invite(ofBeta, 'beta', email);
    expect((await self.post('/users/me/invitations/beta/decline', undefined)).status).to.equal(204);
    const members = await ofBeta.get<Page<MemberReply>>('/organizations/beta/members?limit=200');
    expect(members.body.items.map((member) => member.user_id)).not.to.include(user_id);
    expect((await invite(ofBeta, 'beta', email)).status, 'again').to.equal(201);
    const token = deployment.token('beta', ['org_admin']);
    await service.call('DELETE', `/organizations/beta/members/${user_id}`, { token });
    for (const answer of ['accept', 'decline']) {
      const reply = await self.post<Problem>(`/users/me/invitations/beta/${answer}`, undefined);
      expect([reply.status, reply.body.code]).to.deep.equal([404, 'invitation_not_found']);
    }
  });

  it('are nobody else’s to accept', async () => {
    const { email, user_id } = await enrol('alpha');
    await invite(ofBeta, 'beta', email, ['org_admin']);
    for (const caller of [ofBeta, ofAlpha, platform]) {
      const reply = await caller.post<Problem>('/users/me/invitations/beta/accept', undefined);
      expect(reply.body.code).to.equal('invitation_not_found');
    }
    await ofBeta.put(`/organizations/beta/members/${user_id}`, { roles: ['member'] });
    expect((await login({ email, password: PASSWORD, org_id: 'beta' })).status).to.equal(401);
  });

  it('become memberships when a platform administrator adds the user', async () => {
    const { email } = await enrol('alpha');
    await invite(ofBeta, 'beta', email, ['org_admin']);
    const added = await invite(platform, 'beta', email, ['member']);
    expect([added.status, added.body.status, added.body.roles]).to.deep.equal([201, 'active', ['member']]);
    const { body } = await login({ email, password: PASSWORD, org_id: 'beta' });
    expect(claimsOf(body.access_token)?.['roles']).to.deep.equal(['member']);
    expect((await invite(platform, 'beta', email)).body.code).to.equal('member_already_exists');
  });

  it('let a user who belongs nowhere else in as a guest, to answer them and for nothing else', async () => {
    const { email, user_id } = await enrol();
    const first = { email, password: `${PASSWORD} at first`, new_password: PASSWORD };
    expect((await login(first)).status, 'who belongs nowhere').to.equal(401);
    await invite(ofBeta, 'beta', email);
    const { body, status } = await login(first);
    expect(status).to.equal(200);
    expect(claimsOf(body.access_token)).not.to.have.property('org_id');
    const guest = service.as(body.access_token);
    expect((await guest.get<OwnReply>('/users/me')).body.user_id).to.equal(user_id);
    for (const path of ['/organizations', '/users', '/admin/databases']) {
      expect((await guest.get<Problem>(path)).body.code, path).to.equal('role_required');
    }
    for (const path of ['/jobs', '/organizations/beta', '/organizations/beta/members']) {
      expect((await guest.get<Problem>(path)).body.code, path).to.equal('organization_access_denied');
    }
    const refreshed = await service.call<TokenReply>('POST', '/auth/refresh', {
      body: { refresh_token: body.refresh_token },
    });
    expect(refreshed.status).to.equal(200);
    const self = service.as(refreshed.body.access_token);
    expect((await self.post('/users/me/invitations/beta/accept', undefined)).status).to.equal(204);
    const member = await login({ email, password: PASSWORD });
    expect(claimsOf(member.body.access_token)?.['org_id']).to.equal('beta');
    const over = await service.call<Problem>('POST', '/auth/refresh', {
      body: { refresh_token: refreshed.body.refresh_token },
    });
    expect(over.status, 'the session of the guest').to.equal(401);
  });

  it('let a user of the identity provider in as a guest', async () => {
    const { email, user_id } = await enrol();
    await platform.post(`/users/${user_id}/identities`, { issuer: ISSUER, subject: user_id });
    const guest = service.as(externalToken(user_id));
    expect((await guest.get('/users/me')).status).to.equal(401);
    await invite(ofBeta, 'beta', email);
    await until('the invitation is known', async () => (await guest.get('/users/me')).status === 200);
    expect((await guest.get<Problem>('/jobs')).body.code).to.equal('organization_access_denied');
    expect((await guest.post('/users/me/invitations/beta/accept', undefined)).status).to.equal(204);
    await until('the membership counts', async () => (await guest.get('/organizations/beta')).status === 200);
  });

  it('tell nobody whether the email was known, how it is spelled, or that its user is disabled', async () => {
    const { email, user_id } = await enrol('alpha');
    await platform.patch(`/users/${user_id}`, { status: 'disabled' });
    const [known, unknown] = [email.toUpperCase(), newEmail().toUpperCase()];
    const answers = [];
    for (const each of [known, unknown]) {
      const { status, body, headers } = await invite(ofBeta, 'beta', each);
      const {
        user_id: id,
        email: spelled,
        created_at: _made,
        updated_at: _changed,
        ...rest
      } = {
        created_at: null,
        updated_at: null,
        ...body,
      };
      expect([spelled, headers['location']]).to.deep.equal([each, `/organizations/beta/members/${id}`]);
      answers.push([status, rest]);
    }
    expect(answers[0]).to.deep.equal(answers[1]);
    const listed = await ofBeta.get<Page<MemberReply>>('/organizations/beta/members?limit=200');
    const shown = listed.body.items.filter((member) => [known, unknown].includes(member.email));
    expect(shown.map(({ status }) => status)).to.deep.equal(['invited', 'invited']);
  });

  it('do not take an email from its owner, who is hired later', async () => {
    const email = newEmail();
    const squatted = await invite(ofBeta, 'beta', email.toUpperCase(), ['org_admin']);
    expect(squatted.status).to.equal(201);
    const made = await platform.post<UserReply & Problem>('/users', {
      email,
      password: `${PASSWORD} at first`,
    });
    expect([made.status, made.body.email, made.body.has_password]).to.deep.equal([201, email, true]);
    expect((await platform.post<Problem>('/users', { email })).body.code).to.equal('user_already_exists');
    await platform.post('/organizations/alpha/members', { email, roles: ['member'] });
    const { body } = await login({ email, password: `${PASSWORD} at first`, new_password: PASSWORD });
    expect(claimsOf(body.access_token)?.['org_id']).to.equal('alpha');
  });

  it('leave a right password a right password, whatever else is in its way', async () => {
    const { email, user_id } = await enrol('alpha', 'beta');
    for (let n = 0; n < PER_ACCOUNT + 2; n += 1) {
      const reply = await login({ email, password: PASSWORD });
      expect([reply.status, reply.body.code]).to.deep.equal([403, 'organization_choice_required']);
      expect((await login({ email, password: PASSWORD, org_id: 'gamma' })).status).to.equal(401);
    }
    expect((await login({ email, password: PASSWORD, org_id: 'alpha' })).status).to.equal(200);
    await platform.patch(`/users/${user_id}`, { status: 'disabled' });
    for (let n = 0; n < PER_ACCOUNT + 2; n += 1) {
      expect((await login({ email, password: PASSWORD, org_id: 'alpha' })).status).to.equal(401);
    }
  });
});
