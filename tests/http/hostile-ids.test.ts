import { connect } from 'node:net';
import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { rowCounts } from '../support/row-counts.ts';

const HOSTILE = [
  ...[`'`, `"`, `a"b`, `x'; drop database postgres; --`, '$(id)', '`id`', 'a\\b', '{org_id}', '%s', '*'],
  ...['..', '.', '../alpha', 'alpha/../beta', 'a/b', '/etc/passwd', 'a.b', 'alpha.', 'alpha?x=1', 'a#b'],
  ...['a\0b', '\0', 'a\nb', 'a\r\nX: y', ' alpha', 'alpha ', 'a b', '\t', '\u202ealpha', 'a\u00adb'],
  ...['ä', 'аlpha', 'ａlpha', 'ß', '日本', '😀', 'İ', '\ufeffalpha'],
  ...['template', 'Alpha', 'ALPHA', 'TEMPLATE', '-alpha', 'alpha-', '_alpha', 'alpha_', '-', '_'],
  ...['a'.repeat(52), 'a'.repeat(63), 'a'.repeat(64), 'a'.repeat(1000), 'ä'.repeat(26)],
];

describe('Organization ids over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;
  let member: Caller;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment);
    await deployment.register('alpha');
    platform = service.as(deployment.token(null, ['platform_admin']));
    member = service.as(deployment.token('alpha', ['member', 'org_admin']));
    await member.get('/jobs');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const state = async () => ({
    metadata: await rowCounts(deployment, deployment.metadataDatabase),
    databases: await deployment.administer('select datname from pg_database order by 1'),
    roles: await deployment.administer('select rolname from pg_roles order by 1'),
  });
  const refused = (reply: { status: number; body: Problem }, path: string): void => {
    expect([reply.status, reply.body.code, reply.body.errors?.[0]?.path]).to.deep.equal([
      422,
      'validation_failed',
      path,
    ]);
  };

  it('hostile-org-id-never-reaches-sql-name-or-path', async () => {
    const before = await state();
    for (const id of HOSTILE) {
      const encoded = encodeURIComponent(id);
      for (const path of [`/organizations/${encoded}`, `/admin/databases/${encoded}`]) {
        refused(await platform.get<Problem>(path), 'org_id');
      }
      refused(await platform.post<Problem>(`/admin/databases/${encoded}/provision`), 'org_id');
      refused(await member.get<Problem>(`/organizations/${encoded}/jobs`), 'org_id');
      refused(
        await member.post<Problem>(`/organizations/${encoded}/jobs`, { engine: 'vina', inputs: { a: 1 } }),
        'org_id',
      );
      refused(await platform.post<Problem>('/organizations', { org_id: id, name: 'Hostile' }), 'org_id');
      const login = { email: 'a@example.org', password: 'secret', org_id: id };
      refused(await service.call<Problem>('POST', '/auth/token', { body: login }), 'org_id');

      const claims = service.as(deployment.token(id, ['member', 'worker', 'org_admin']));
      for (const path of ['/jobs', `/organizations/${encoded}/jobs`, '/organizations/alpha/jobs']) {
        const reply = await claims.get<Problem>(path);
        expect([id, reply.status, reply.body.code]).to.deep.equal([id, 401, 'unauthenticated']);
      }
    }
    expect(await state()).to.deep.equal(before);
  });

  it('hostile ones in X-Org-Id are refused', async () => {
    const before = await state();
    // Control characters never leave the client, nor white space around the value.
    const sendable = HOSTILE.filter((id) => !/[\0\r\n]|^\s|\s$/.test(id)).map((id) =>
      Buffer.from(id).toString('latin1'),
    );
    expect(sendable.length).to.be.greaterThan(35);
    for (const id of sendable) {
      refused(await member.get<Problem>('/jobs', { 'X-Org-Id': id }), 'X-Org-Id');
      refused(await platform.get<Problem>('/organizations/alpha', { 'X-Org-Id': id }), 'X-Org-Id');
    }
    refused(await member.get<Problem>('/jobs', { 'X-Org-Id': '' }), 'X-Org-Id');
    expect(await state()).to.deep.equal(before);
  });

  it('sent raw, with dots, quotes and bad escapes, lead nowhere', async () => {
    const before = await state();
    for (const path of [
      `/organizations/..`,
      `/organizations/../jobs`,
      `/organizations/'/jobs`,
      `/organizations/"`,
    ]) {
      const reply = await member.get<Problem>(path);
      expect([path, reply.status, reply.body.code]).to.deep.equal([path, 422, 'validation_failed']);
    }
    for (const path of [
      '/organizations//jobs',
      '/organizations/%',
      '/organizations/%c3%28',
      '/organizations/%ff/jobs',
    ]) {
      const reply = await member.get<Problem>(path);
      expect([path, reply.status, reply.body.code]).to.deep.equal([path, 404, 'not_found']);
    }
    expect(await state()).to.deep.equal(before);
  });

  it('with control characters in a raw header end the connection without a word of the service', async () => {
    const { hostname, port } = new URL(service.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.end(`GET /jobs HTTP/1.1\r\nHost: x\r\nX-Org-Id: a\0b\r\n\r\n`);
      });
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).to.match(/^HTTP\/1\.1 400 /);
    expect(answer).not.to.match(/\bat .+:\d+|postgres|error:/i);
  });

  it('of the greatest length fill the 63 bytes of a name, and twins have each their own database', async () => {
    const twins = [`${'a'.repeat(50)}b`, `${'a'.repeat(50)}c`] as const;
    for (const id of twins) {
      expect((await platform.post('/organizations', { org_id: id, name: id })).status).to.equal(201);
      const caller = service.as(deployment.token(id, ['member']));
      const made = await caller.post(`/organizations/${id}/jobs`, { engine: 'vina', inputs: { of: id } });
      expect(made.status).to.equal(201);
    }
    const databases = await deployment.databases();
    for (const id of twins) {
      const name = deployment.databaseName(id);
      expect(Buffer.byteLength(name)).to.equal(63);
      expect(databases).to.include(name);
      const [row] = await deployment.administer<{ of: string }>(
        `select inputs ->> 'of' as of from docking_jobs`,
        [],
        name,
      );
      expect(row?.of).to.equal(id);
    }
  });

  it('unknown-org-creates-nothing', async () => {
    const before = await state();
    const caller = service.as(deployment.token('unknown', ['member', 'worker', 'org_admin']));
    const id = '00000000-0000-4000-8000-000000000000';
    const replies = [
      await caller.get<Problem>('/jobs'),
      await caller.get<Problem>('/organizations/unknown/jobs'),
      await caller.post<Problem>('/jobs', { engine: 'vina', inputs: { a: 1 } }),
      await caller.put<Problem>(`/jobs/${id}/task-results/t`, { service_name: 's', result_data: {} }),
      await caller.get<Problem>(`/organizations/unknown/input-signatures/${'0'.repeat(64)}`),
      await caller.put<Problem>('/organizations/unknown/settings', { settings: {} }),
      await platform.post<Problem>('/admin/databases/unknown/provision'),
      await platform.get<Problem>('/admin/databases/unknown'),
      ...(await Promise.all(Array.from({ length: 20 }, () => caller.get<Problem>('/jobs')))),
    ];
    for (const { status, body } of replies)
      expect([status, body.code]).to.deep.equal([404, 'organization_not_found']);
    expect(await state()).to.deep.equal(before);
    expect((await service.call<{ checks: object }>('GET', '/ready')).text).not.to.include('unknown');
  });
});
