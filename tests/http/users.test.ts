import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { RFC3339_UTC, UUID, type AuditEntry, type Page, type Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import {
  statusOf,
  type TokenReply,
  type UserReply,
  type MemberReply,
  type IdentityReply,
} from '../support/access-contract.ts';
import type { Method } from '../support/send.ts';

const PASSWORD = 'correct horse battery staple';
const OTHER_PASSWORD = 'staple battery horse correct';
const NOBODY = '00000000-0000-4000-8000-00000000abcd';

describe('Users and members', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;
  let administrator: Caller;
  let people = 0;

  before(async () => {
    deployment = await createDeployment({ LOGIN_ATTEMPTS_PER_ADDRESS: '100000' });
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
    platform = service.as(deployment.token(null, ['platform_admin'], { sub: 'operator' }));
    administrator = service.as(deployment.token('alpha', ['org_admin'], { sub: 'admin-of-alpha' }));
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const login = (body: object) => service.call<TokenReply & Problem>('POST', '/auth/token', { body });
  const remove = (caller: string, path: string) => service.call<Problem>('DELETE', path, { token: caller });
  const newEmail = (): string => `person-${(people += 1)}@example.org`;
  /** A user who has chosen a password. */
  const makeUser = async (roles: readonly string[] = ['member']): Promise<UserReply> => {
    const email = newEmail();
    const made = await platform.post<UserReply>('/users', { email, password: OTHER_PASSWORD });
    await platform.post('/organizations/alpha/members', { email, roles });
    const first = await login({ email, password: OTHER_PASSWORD, new_password: PASSWORD });
    expect([made.status, first.status]).to.deep.equal([201, 200]);
    return made.body;
  };
  const trail = async (path: string): Promise<readonly AuditEntry[]> =>
    (await platform.get<Page<AuditEntry>>(`${path}?limit=200`)).body.items;

  describe('users', () => {
    it('are made, shown, found by their email and listed by a platform administrator', async () => {
      const email = 'Ada.Lovelace@example.org';
      const { status, headers, body } = await platform.post<UserReply>('/users', { email });

      expect(status).to.equal(201);
      expect(headers['location']).to.equal(`/users/${body.user_id}`);
      expect(body).to.include({
        email,
        status: 'active',
        platform_admin: false,
        has_password: false,
        must_change_password: false,
      });
      expect(body.user_id).to.match(UUID);
      expect(body.created_at).to.match(RFC3339_UTC);
      expect((await platform.get(`/users/${body.user_id}`)).body).to.deep.equal(body);
      const found = await platform.get<Page<UserReply>>('/users?email=ada.lovelace@EXAMPLE.org');
      expect(found.body.items).to.deep.equal([body]);
      const again = await platform.post<Problem>('/users', { email: email.toUpperCase() });
      expect([again.status, again.body.code]).to.deep.equal([409, 'user_already_exists']);
    });

    it('are listed page by page, each once', async () => {
      for (let n = 0; n < 5; n += 1) await platform.post('/users', { email: newEmail() });
      const seen: string[] = [];
      let cursor = '';
      do {
        const { body } = await platform.get<Page<UserReply>>(`/users?limit=2${cursor}`);
        seen.push(...body.items.map(({ user_id }) => user_id));
        cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
      } while (cursor !== '');
      const rows = await deployment.administer<{ n: string }>(
        'select count(*) as n from users',
        [],
        deployment.metadataDatabase,
      );
      expect(seen).to.have.length(Number(rows[0]?.n));
      expect(new Set(seen).size).to.equal(seen.length);
    });

    it('that nobody made are 404, whatever is asked of them', async () => {
      for (const [method, path, body] of [
        ['GET', `/users/${NOBODY}`],
        ['PATCH', `/users/${NOBODY}`, { status: 'disabled' }],
        ['PUT', `/users/${NOBODY}/password`, { password: PASSWORD }],
        ['GET', `/users/${NOBODY}/identities`],
        ['POST', `/users/${NOBODY}/identities`, { issuer: 'i', subject: 's' }],
      ] as const) {
        const token = deployment.token(null, ['platform_admin']);
        const reply = await service.call<Problem>(method, path, { token, ...(body && { body }) });
        expect([path, reply.status, reply.body.code]).to.deep.equal([path, 404, 'user_not_found']);
      }
      const own = await administrator.get<Problem>('/users/me');
      expect([own.status, own.body.code]).to.deep.equal([404, 'user_not_found']);
    });

    it('see themselves and where they belong', async () => {
      const user = await makeUser(['worker', 'member', 'worker']);
      const { body } = await login({ email: user.email, password: PASSWORD });
      const own = await service.as(body.access_token).get<UserReply>('/users/me');
      expect(own.status).to.equal(200);
      expect(own.body).to.deep.include({
        user_id: user.user_id,
        email: user.email,
        has_password: true,
        memberships: [{ org_id: 'alpha', roles: ['member', 'worker'] }],
      });
    });

    it('that administer the platform neither disable nor demote themselves', async () => {
      const email = newEmail();
      await platform.post('/users', { email, platform_admin: true, password: OTHER_PASSWORD });
      const { body } = await login({ email, password: OTHER_PASSWORD, new_password: PASSWORD });
      const self = service.as(body.access_token);
      const { user_id } = (await self.get<UserReply>('/users/me')).body;
      for (const change of [{ status: 'disabled' }, { platform_admin: false }]) {
        const reply = await self.patch<Problem>(`/users/${user_id}`, change);
        expect([reply.status, reply.body.code]).to.deep.equal([409, 'own_account_protected']);
      }
      expect((await self.get('/organizations')).status).to.equal(200);
    });

    it('leave an entry in the trail of the platform with each change, in its transaction', async () => {
      const user = await makeUser();
      const path = `/users/${user.user_id}`;
      await platform.patch(path, { status: 'disabled' }, { 'X-Request-Id': 'disabling' });
      await platform.patch(path, { status: 'active', must_change_password: true });
      await platform.put(`${path}/password`, { password: OTHER_PASSWORD });
      const entries = (await trail('/admin/audit-logs')).filter(
        ({ entity_id }) => entity_id === user.user_id,
      );
      expect(entries.map(({ action, user_id }) => [action, user_id]).toReversed()).to.deep.equal([
        ['user.created', 'operator'],
        ['user.password_changed', user.user_id],
        ['user.changed', 'operator'],
        ['user.changed', 'operator'],
        ['user.password_set', 'operator'],
      ]);
      const disabled = entries.find(({ request_id }) => request_id === 'disabling');
      expect(disabled).to.deep.include({
        org_id: null,
        details: {
          before: { status: 'active', platform_admin: false, must_change_password: false },
          after: { status: 'disabled', platform_admin: false, must_change_password: false },
        },
      });
      for (const { address } of entries) expect(address).to.match(/127\.0\.0\.1$/);
      expect(JSON.stringify(entries)).not.to.include(PASSWORD).and.not.to.include('argon2');
    });
  });

  describe('passwords', () => {
    it('of another’s choice open nothing before they are changed', async () => {
      const email = newEmail();
      await platform.post('/users', { email, password: OTHER_PASSWORD });
      await platform.post('/organizations/alpha/members', { email, roles: ['member'] });
      const refused = await login({ email, password: OTHER_PASSWORD });
      expect([refused.status, refused.body.code]).to.deep.equal([403, 'password_change_required']);
      const wrong = await login({ email, password: PASSWORD });
      expect([wrong.status, wrong.body.code]).to.deep.equal([401, 'unauthenticated']);
      expect((await login({ email, password: OTHER_PASSWORD, new_password: PASSWORD })).status).to.equal(200);
      expect((await login({ email, password: OTHER_PASSWORD })).status).to.equal(401);
      expect((await login({ email, password: PASSWORD })).status).to.equal(200);
    });

    it('are changed by who knows the present one; then all sessions end', async () => {
      const { email } = await makeUser();
      const here = (await login({ email, password: PASSWORD })).body;
      const elsewhere = (await login({ email, password: PASSWORD })).body;
      const self = service.as(here.access_token);
      const wrong = await self.put<Problem>('/users/me/password', {
        password: 'not the present one',
        new_password: OTHER_PASSWORD,
      });
      expect([wrong.status, wrong.body.errors?.[0]?.path]).to.deep.equal([422, 'password']);

      const body = { password: PASSWORD, new_password: OTHER_PASSWORD };
      expect((await self.put('/users/me/password', body)).status).to.equal(204);

      for (const { refresh_token } of [here, elsewhere]) {
        const reply = await service.call<Problem>('POST', '/auth/refresh', { body: { refresh_token } });
        expect(reply.status).to.equal(401);
      }
      expect((await login({ email, password: PASSWORD })).status).to.equal(401);
      expect((await login({ email, password: OTHER_PASSWORD })).status).to.equal(200);
    });

    it('that must be changed, or were set, end all sessions', async () => {
      const { email, user_id } = await makeUser();
      const first = (await login({ email, password: PASSWORD })).body;
      await platform.patch(`/users/${user_id}`, { must_change_password: true });
      const { refresh_token } = first;
      expect((await service.call('POST', '/auth/refresh', { body: { refresh_token } })).status).to.equal(401);
      expect((await login({ email, password: PASSWORD })).body.code).to.equal('password_change_required');
      await platform.put(`/users/${user_id}/password`, { password: OTHER_PASSWORD });
      expect((await login({ email, password: PASSWORD })).status).to.equal(401);
      expect((await login({ email, password: OTHER_PASSWORD })).body.code).to.equal(
        'password_change_required',
      );
    });

    it('are replaced by others, never by themselves', async () => {
      const email = newEmail();
      await platform.post('/users', { email, platform_admin: true, password: OTHER_PASSWORD });
      const same = await login({ email, password: OTHER_PASSWORD, new_password: OTHER_PASSWORD });
      expect([same.status, same.body.errors?.[0]?.path]).to.deep.equal([422, 'new_password']);
      const { body } = await login({ email, password: OTHER_PASSWORD, new_password: PASSWORD });
      const own = await service
        .as(body.access_token)
        .put<Problem>('/users/me/password', { password: PASSWORD, new_password: PASSWORD });
      expect([own.status, own.body.errors?.[0]?.path]).to.deep.equal([422, 'new_password']);
    });

    it('have at least 12 characters and at most 1024 bytes', async () => {
      const { user_id } = await makeUser();
      for (const password of ['short', 'a'.repeat(11), '😀'.repeat(11), 'a'.repeat(1025), 'ä'.repeat(513)]) {
        const reply = await platform.put<Problem>(`/users/${user_id}/password`, { password });
        expect([reply.status, reply.body.errors?.[0]?.path]).to.deep.equal([422, 'password']);
        expect(reply.text).not.to.include(password);
      }
      for (const password of ['a'.repeat(12), '😀'.repeat(12), 'ä'.repeat(512)]) {
        expect((await platform.put(`/users/${user_id}/password`, { password })).status).to.equal(204);
      }
    });
  });

  describe('members', () => {
    it('are invited by email, shown, given other roles, and removed', async () => {
      const email = newEmail();
      const path = '/organizations/alpha/members';
      const added = await administrator.post<MemberReply>(path, { email, roles: ['worker', 'member'] });
      expect(added.status).to.equal(201);
      expect(added.body).to.deep.include({ email, status: 'invited', roles: ['member', 'worker'] });
      expect(added.headers['location']).to.equal(`${path}/${added.body.user_id}`);
      const again = await administrator.post<Problem>(path, { email, roles: ['member'] });
      expect([again.status, again.body.code]).to.deep.equal([409, 'member_already_exists']);

      const one = `${path}/${added.body.user_id}`;
      const changed = await administrator.put<MemberReply>(one, { roles: ['org_admin'] });
      expect([changed.status, changed.body.roles]).to.deep.equal([200, ['org_admin']]);
      const { body: page } = await administrator.get<Page<MemberReply>>(`${path}?limit=200`);
      expect(page.items.find(({ user_id }) => user_id === added.body.user_id)).to.deep.equal(changed.body);

      const token = deployment.token('alpha', ['org_admin'], { sub: 'admin-of-alpha' });
      expect((await remove(token, one)).status).to.equal(204);
      for (const reply of [
        await remove(token, one),
        await administrator.put<Problem>(one, { roles: ['member'] }),
      ]) {
        expect([reply.status, reply.body.code]).to.deep.equal([404, 'member_not_found']);
      }
      const actions = (await trail('/organizations/alpha/audit-logs')).filter(
        ({ entity_id }) => entity_id === added.body.user_id,
      );
      expect(actions.map(({ action, details }) => [action, details]).toReversed()).to.deep.equal([
        ['member.invited', { email, roles: ['member', 'worker'] }],
        ['member.roles_changed', { before: ['member', 'worker'], after: ['org_admin'] }],
        ['member.removed', { roles: ['org_admin'], invited: true }],
      ]);
    });

    it('of an organization are no business of another one’s administrator', async () => {
      const { email, user_id } = await makeUser();
      const ofBeta = service.as(deployment.token('beta', ['org_admin']));
      const { body } = await ofBeta.post<MemberReply>('/organizations/beta/members', {
        email,
        roles: ['worker'],
      });
      expect(body.user_id).to.equal(user_id);
      await ofBeta.put(`/organizations/beta/members/${user_id}`, { roles: ['org_admin'] });
      const inAlpha = await administrator.get<Page<MemberReply>>('/organizations/alpha/members?limit=200');
      const member = inAlpha.body.items.find((each) => each.user_id === user_id);
      expect(member?.roles).to.deep.equal(['member']);
      const foreign = await ofBeta.put<Problem>(`/organizations/alpha/members/${user_id}`, {
        roles: ['org_admin'],
      });
      expect([foreign.status, foreign.body.code]).to.deep.equal([403, 'organization_access_denied']);
    });

    it('of an organization that is not registered cannot be', async () => {
      const [list, added] = [
        await platform.get<Problem>('/organizations/nowhere/members'),
        await platform.post<Problem>('/organizations/nowhere/members', {
          email: newEmail(),
          roles: ['member'],
        }),
      ];
      for (const { status, body } of [list, added]) {
        expect([status, body.code]).to.deep.equal([404, 'organization_not_found']);
      }
    });

    it('get no role beyond those of organizations', async () => {
      const { email } = await makeUser();
      for (const roles of [['platform_admin'], [], ['root'], 'member']) {
        const reply = await administrator.post<Problem>('/organizations/alpha/members', { email, roles });
        expect(reply.status).to.equal(422);
      }
    });
  });

  describe('identities', () => {
    it('are linked once, listed and unlinked, each time with an entry in the trail', async () => {
      const [one, two] = [await makeUser(), await makeUser()];
      const identity = { issuer: 'https://people.example', subject: 'ada' };
      const path = `/users/${one.user_id}/identities`;
      const linked = await platform.post<IdentityReply>(path, identity);
      expect(linked.status).to.equal(201);
      expect(linked.body).to.include(identity);
      for (const { user_id } of [one, two]) {
        const again = await platform.post<Problem>(`/users/${user_id}/identities`, identity);
        expect([again.status, again.body.code]).to.deep.equal([409, 'identity_already_linked']);
      }
      expect((await platform.get<{ items: unknown }>(path)).body.items).to.deep.equal([linked.body]);
      const token = deployment.token(null, ['platform_admin']);
      const ofOther = `/users/${two.user_id}/identities/${linked.body.identity_id}`;
      expect((await remove(token, ofOther)).body.code).to.equal('identity_not_found');
      expect((await remove(token, `${path}/${linked.body.identity_id}`)).status).to.equal(204);
      expect((await platform.get<{ items: unknown }>(path)).body.items).to.deep.equal([]);
      const actions = (await trail('/admin/audit-logs')).filter(({ entity_id }) => entity_id === one.user_id);
      expect(actions.slice(0, 2).map(({ action, details }) => [action, details])).to.deep.equal([
        ['identity.unlinked', identity],
        ['identity.linked', identity],
      ]);
    });

    it('never include the password', async () => {
      const { user_id } = await makeUser();
      const path = `/users/${user_id}/identities`;
      expect((await platform.get<{ items: unknown }>(path)).body.items).to.deep.equal([]);
      const reserved = await platform.post<Problem>(path, { issuer: 'password', subject: 'x@example.org' });
      expect([reserved.status, reserved.body.errors?.[0]?.path]).to.deep.equal([422, 'issuer']);
    });
  });

  it('write nothing when the trail cannot be written', async () => {
    const { user_id } = await makeUser();
    const email = newEmail();
    await deployment.administer(
      'alter table audit_logs add constraint audit_logs_closed check (false) not valid',
      [],
      deployment.metadataDatabase,
    );
    try {
      const token = deployment.token(null, ['platform_admin']);
      const calls: readonly (readonly [Method, string, object?])[] = [
        ['POST', '/users', { email }],
        ['PATCH', `/users/${user_id}`, { status: 'disabled' }],
        ['PUT', `/users/${user_id}/password`, { password: OTHER_PASSWORD }],
        ['POST', `/users/${user_id}/identities`, { issuer: 'https://x.example', subject: 'x' }],
        ['POST', '/organizations/beta/members', { email, roles: ['member'] }],
        ['PUT', `/organizations/alpha/members/${user_id}`, { roles: ['org_admin'] }],
        ['DELETE', `/organizations/alpha/members/${user_id}`],
      ];
      for (const [method, path, body] of calls) {
        const status = await statusOf(service.url, method, path, token, body);
        expect([method, path, status]).to.deep.equal([method, path, 500]);
      }
    } finally {
      await deployment.administer(
        'alter table audit_logs drop constraint audit_logs_closed',
        [],
        deployment.metadataDatabase,
      );
    }
    const user = (await platform.get<UserReply>(`/users/${user_id}`)).body;
    expect(user).to.include({ status: 'active', must_change_password: false });
    expect((await platform.get<Page<UserReply>>(`/users?email=${email}`)).body.items).to.deep.equal([]);
    const { body } = await login({ email: user.email, password: PASSWORD });
    expect(jwt.decode(body.access_token, { json: true })?.['roles']).to.deep.equal(['member']);
  });
});
