import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import {
  AUDIT_FIELDS,
  RFC3339_UTC,
  type AuditEntry,
  type Page,
  type Problem,
} from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

describe('The audit trail over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;
  let administrator: Caller;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    platform = service.as(deployment.token(null, ['platform_admin']));
    administrator = service.as(deployment.token('alpha', ['org_admin']));
    await platform.post(
      '/organizations',
      { org_id: 'alpha', name: 'Alpha' },
      { 'X-Request-Id': 'made-alpha' },
    );
    await platform.post('/organizations', { org_id: 'beta', name: 'Beta' });
    for (let n = 0; n < 7; n += 1) await administrator.patch('/organizations/alpha', { name: `Name ${n}` });
    await administrator.put('/organizations/alpha/settings', { settings: { secret_plan: 'hidden' } });
    await administrator.get('/jobs');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const walk = async (caller: Caller, query: string): Promise<readonly AuditEntry[]> => {
    const entries: AuditEntry[] = [];
    let cursor = '';
    for (;;) {
      const path = `/organizations/alpha/audit-logs?${query}${cursor}`;
      const { status, body } = await caller.get<Page<AuditEntry>>(path);
      expect(status).to.equal(200);
      expect(body).to.have.all.keys('items', 'next_cursor');
      entries.push(...body.items);
      if (body.next_cursor === null) return entries;
      cursor = `&cursor=${body.next_cursor}`;
    }
  };

  it('of an organization that does not exist is not found', async () => {
    const { status, body } = await platform.get<Problem>('/organizations/nobody/audit-logs');
    expect([status, body.code]).to.deep.equal([404, 'organization_not_found']);
    expect((await platform.get('/organizations/beta/audit-logs?action=none')).status).to.equal(200);
  });

  it('holds what happened, newest first, with the request that did it', async () => {
    const entries = await walk(administrator, 'limit=50');

    for (const entry of entries) {
      expect(entry).to.have.all.keys(...AUDIT_FIELDS);
      expect(entry.org_id).to.equal('alpha');
      expect(entry.ts).to.match(RFC3339_UTC);
    }
    const times = entries.map(({ ts }) => ts);
    expect(times).to.deep.equal(times.toSorted().toReversed());
    expect(entries.map(({ action }) => action).toReversed()).to.deep.equal([
      'organization.created',
      ...Array.from({ length: 7 }, () => 'organization.renamed'),
      'settings.replaced',
      'database.provisioned',
    ]);
    expect(entries.at(-1)).to.deep.include({
      request_id: 'made-alpha',
      user_id: 'user-1',
      entity_type: 'organization',
      entity_id: 'alpha',
    });
  });

  it('reads page by page, each entry once, also while it grows', async () => {
    const before = await walk(administrator, 'limit=200');
    const seen: AuditEntry[] = [];
    let cursor = '';
    for (;;) {
      const path = `/organizations/alpha/audit-logs?limit=3${cursor}`;
      const { body } = await platform.get<Page<AuditEntry>>(path);
      seen.push(...body.items);
      await administrator.patch('/organizations/alpha', { name: 'Meanwhile' });
      if (body.next_cursor === null) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(seen).to.deep.equal(before);
  });

  it('can be read by action', async () => {
    const renamed = await walk(administrator, 'action=organization.renamed&limit=2');
    expect(renamed.length).to.be.at.least(7);
    expect(new Set(renamed.map(({ action }) => action))).to.deep.equal(new Set(['organization.renamed']));
    expect(await walk(administrator, 'action=nothing.happened')).to.deep.equal([]);
  });

  it('is closed to members, workers and other organizations', async () => {
    for (const role of ['member', 'worker']) {
      const caller = service.as(deployment.token('alpha', [role]));
      const { status, body } = await caller.get<Problem>('/organizations/alpha/audit-logs');
      expect([status, body.code]).to.deep.equal([403, 'role_required']);
    }
    const stranger = service.as(deployment.token('beta', ['org_admin']));
    const { status, body } = await stranger.get<Problem>('/organizations/alpha/audit-logs');
    expect([status, body.code]).to.deep.equal([403, 'organization_access_denied']);
  });

  it('does not take another list’s cursor', async () => {
    const jobsCursor = Buffer.from(JSON.stringify([0, 'x'])).toString('base64url');
    for (const cursor of [jobsCursor, Buffer.from('"-1"').toString('base64url'), 'AA', '%00', "'"]) {
      const reply = await administrator.get<Problem>(`/organizations/alpha/audit-logs?cursor=${cursor}`);
      expect([reply.status, reply.body.errors?.[0]?.path]).to.deep.equal([422, 'cursor']);
    }
  });
});
