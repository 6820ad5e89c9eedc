import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { AuditEntry, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

interface Listed {
  readonly org_id: string;
  readonly database: { readonly server_id: string; readonly state: string } | null;
}

describe('Searches of operators', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.over(deployment, deployment.start());
    await service.container.get(TOKENS.useCases).registerServers();
    platform = service.as(deployment.token(null, ['platform_admin']));
    for (const [org_id, name] of [
      ['acme', 'Zebra'],
      ['beta', 'Acme Two'],
      ['gamma', 'Another'],
    ])
      await platform.post('/organizations', { org_id, name });
    await service.as(deployment.token('acme', ['member'])).get('/jobs');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const organizations = async (query: string): Promise<readonly string[]> =>
    (await platform.get<Page<Listed>>(`/organizations?${query}`)).body.items.map(({ org_id }) => org_id);

  it('find organizations by the beginning of their id or name, and by where their database is', async () => {
    expect(await organizations('q=acme')).to.deep.equal(['acme', 'beta']);
    expect(await organizations('q=acme&sort=name')).to.deep.equal(['beta', 'acme']);
    expect(await organizations('sort=newest')).to.deep.equal(['gamma', 'beta', 'acme']);
    expect(await organizations('state=ready&server=default&status=active')).to.deep.equal(['acme']);
    expect(await organizations('state=none')).to.deep.equal(['beta', 'gamma']);
    expect(await organizations('status=suspended')).to.deep.equal([]);
    const { body } = await platform.get<Page<Listed>>('/organizations?limit=1');
    expect(body.items[0]?.database).to.deep.include({ server_id: 'default', state: 'ready' });
  });

  it('go on page after page in every order', async () => {
    for (const sort of ['id', 'name', 'newest']) {
      const seen: string[] = [];
      let cursor = '';
      do {
        const { body } = await platform.get<Page<Listed>>(`/organizations?limit=1&sort=${sort}${cursor}`);
        seen.push(...body.items.map(({ org_id }) => org_id));
        cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
      } while (cursor !== '');
      expect(seen, sort).to.deep.equal(await organizations(`sort=${sort}`));
    }
  });

  it('find users by the beginning of their email', async () => {
    for (const email of ['ada@acme.test', 'Adam@acme.test', 'eve@acme.test'])
      await platform.post('/users', { email });
    const { body } = await platform.get<Page<{ email: string }>>('/users?q=AD');
    expect(body.items.map(({ email }) => email)).to.have.members(['ada@acme.test', 'Adam@acme.test']);
  });

  it('name what is wrong with a filter', async () => {
    for (const [path, field] of [
      ['/organizations?q=', 'q'],
      [`/organizations?q=${'x'.repeat(101)}`, 'q'],
      ['/organizations?q=a%00b', 'q'],
      ['/organizations?state=broken', 'state'],
      ['/organizations?server=EU', 'server'],
      ['/organizations?sort=size', 'sort'],
      ['/users?q=%0a', 'q'],
      ['/admin/audit-logs?from=yesterday', 'from'],
      ['/admin/audit-logs?to=2026-01-01T00:00:00', 'to'],
      ['/admin/audit-logs?from=-000001-01-01T00:00:00Z', 'from'],
      ['/admin/audit-logs?org_id=Acme', 'org_id'],
      ['/admin/audit-logs?scope=mine', 'scope'],
      ['/admin/audit-logs?actor=%00', 'actor'],
      ['/admin/audit-logs.csv?limit=5', ''],
      ['/organizations/acme/audit-logs?org_id=beta', ''],
    ]) {
      const { status, body } = await platform.get<Problem>(path ?? '');
      expect(status, path).to.equal(422);
      expect(body.errors?.map((error) => error.path).join(), path).to.include(field);
    }
  });

  describe('in the audit trail', () => {
    const REQUEST = 'a-request-to-be-found';
    const entries = async (query: string): Promise<readonly AuditEntry[]> =>
      (await platform.get<Page<AuditEntry>>(`/admin/audit-logs?${query}`)).body.items;

    before(async () => {
      await service.call('PATCH', '/organizations/beta', {
        token: deployment.token(null, ['platform_admin'], { sub: 'operator-7' }),
        headers: { 'X-Request-Id': REQUEST },
        body: { name: '=cmd|"a",b' },
      });
    });

    it('narrow it down by who, what, which request and when, in one organization or in all', async () => {
      const [found, ...others] = await entries(`scope=all&request_id=${REQUEST}`);
      expect(others).to.deep.equal([]);
      expect(found).to.include({ org_id: 'beta', action: 'organization.renamed', user_id: 'operator-7' });
      for (const query of ['actor=operator-7', 'entity_id=beta&action=organization.renamed'])
        expect(await entries(`scope=all&${query}`)).to.deep.equal([found]);
      expect(await entries(`org_id=beta&actor=operator-7`)).to.deep.equal([found]);
      expect(await entries(`org_id=acme&actor=operator-7`)).to.deep.equal([]);
      expect(await entries(`request_id=${REQUEST}`), 'of what concerns no organization').to.deep.equal([]);
      expect(await entries(`scope=all&actor=operator-7&from=${found?.ts}`)).to.deep.equal([found]);
      expect(await entries(`scope=all&actor=operator-7&to=${found?.ts}`)).to.deep.equal([]);
    });

    it('narrow down an organization’s own trail for its administrator', async () => {
      const administrator = service.as(deployment.token('beta', ['org_admin']));
      const { body } = await administrator.get<Page<AuditEntry>>(
        `/organizations/beta/audit-logs?request_id=${REQUEST}`,
      );
      expect(body.items.map(({ user_id }) => user_id)).to.deep.equal(['operator-7']);
    });

    it('export it whole, as lines of JSON and as a table that computes nothing', async () => {
      await deployment.metadata(
        `insert into audit_logs (org_id, action, entity_type, entity_id, details)
         select 'gamma', 'test.exported', 'test', n::text, '{"text": "a,\\"b\\"\\n"}' from generate_series(1, 450) n`,
      );
      const token = deployment.token(null, ['platform_admin']);
      const lines = await service.call('GET', '/admin/audit-logs.ndjson?org_id=gamma&action=test.exported', {
        token,
      });
      expect(lines.status).to.equal(200);
      const parsed = lines.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as AuditEntry);
      expect(parsed.map(({ entity_id }) => Number(entity_id))).to.deep.equal(
        Array.from({ length: 450 }, (_, at) => 450 - at),
      );
      const table = await service.call('GET', '/admin/audit-logs.csv?scope=all&actor=operator-7', { token });
      const [header, row] = table.text.split('\r\n');
      expect(header).to.equal(
        'ts,audit_id,org_id,user_id,action,entity_type,entity_id,request_id,address,details',
      );
      expect(row).to.include(',beta,operator-7,organization.renamed,').and.include('""=cmd|\\""a\\"",b""');
      const nothing = await service.call('GET', '/admin/audit-logs.csv?org_id=nobody', { token });
      expect(nothing.text).to.equal(`${header}\r\n`);
    });
  });
});
