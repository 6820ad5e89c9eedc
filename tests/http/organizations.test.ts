import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import {
  ADMINISTERED_ORGANIZATION_FIELDS,
  ORGANIZATION_FIELDS,
  RFC3339_UTC,
  type AuditEntry,
  type Page,
  type Problem,
} from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

interface Organization {
  readonly org_id: string;
  readonly name: string;
  readonly status: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly database: {
    readonly name: string;
    readonly state: string;
    readonly schema_version: number;
  } | null;
  readonly placement?: {
    readonly server_id: string | null;
    readonly labels: Readonly<Record<string, string>>;
  };
}

describe('Organizations over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha', 'beta', 'gamma', 'delta']);
    platform = service.as(deployment.token(null, ['platform_admin']));
    await deployment.register('alpha');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const as = (organization: string, ...roles: string[]): Caller =>
    service.as(deployment.token(organization, roles));

  it('are registered with 201, their address and no database', async () => {
    const reply = await platform.post<Organization>('/organizations', { org_id: 'beta', name: 'Beta GmbH' });

    expect(reply.status).to.equal(201);
    expect(reply.headers['location']).to.equal('/organizations/beta');
    expect(reply.body).to.have.all.keys(...ADMINISTERED_ORGANIZATION_FIELDS);
    expect(reply.body.placement).to.deep.equal({ server_id: null, labels: {} });
    expect(reply.body).to.include({ org_id: 'beta', name: 'Beta GmbH', status: 'active', database: null });
    expect(reply.body.created_at).to.match(RFC3339_UTC);
    expect(reply.body.updated_at).to.match(RFC3339_UTC);
    expect((await platform.get<Organization>('/organizations/beta')).body).to.deep.equal(reply.body);
    expect(await deployment.databases()).to.deep.equal([]);
  });

  it('are registered once: the same id again is 409 and changes nothing', async () => {
    const again = await platform.post<Problem>('/organizations', { org_id: 'alpha', name: 'Taken' });

    expect(again.status).to.equal(409);
    expect(again.body.code).to.equal('organization_already_exists');
    expect((await platform.get<Organization>('/organizations/alpha')).body.name).to.equal('alpha');
  });

  it('are registered once, however many ask at the same time', async () => {
    const replies = await Promise.all(
      Array.from({ length: 10 }, () =>
        platform.post<Problem>('/organizations', { org_id: 'gamma', name: 'Gamma' }),
      ),
    );

    expect(replies.filter(({ status }) => status === 201)).to.have.length(1);
    expect(replies.filter(({ status }) => status === 409)).to.have.length(9);
  });

  it('show their database to each of their users once it was used', async () => {
    const member = as('alpha', 'member');
    expect((await member.get<Organization>('/organizations/alpha')).body.database).to.equal(null);

    expect((await member.get('/organizations/alpha/jobs')).status).to.equal(200);

    for (const role of ['member', 'worker', 'org_admin']) {
      const { status, body } = await as('alpha', role).get<Organization>('/organizations/alpha');
      expect(status).to.equal(200);
      expect(body).to.have.all.keys(...ORGANIZATION_FIELDS);
      expect(body.database).to.have.all.keys('name', 'state', 'schema_version');
      expect(body.database).to.include({ name: deployment.databaseName('alpha'), state: 'ready' });
      expect(body.database?.schema_version).to.be.at.least(1);
    }
    expect(await deployment.databases()).to.include(deployment.databaseName('alpha'));
  });

  it('that are not registered are 404 to the platform administrator and to a token that claims them', async () => {
    for (const caller of [platform, as('nowhere', 'org_admin')]) {
      const { status, body } = await caller.get<Problem>('/organizations/nowhere');
      expect([status, body.code]).to.deep.equal([404, 'organization_not_found']);
    }
  });

  it('are renamed by the platform administrator and by their own', async () => {
    for (const [caller, name, fields] of [
      [platform, 'First', ADMINISTERED_ORGANIZATION_FIELDS],
      [as('alpha', 'org_admin'), 'Second', ORGANIZATION_FIELDS],
    ] as const) {
      const { status, body } = await caller.patch<Organization>('/organizations/alpha', { name });
      expect(status).to.equal(200);
      expect(body).to.have.all.keys(...fields);
      expect(body.name).to.equal(name);
    }
    const unchanged = await platform.patch<Organization>('/organizations/alpha', {});
    expect([unchanged.status, unchanged.body.name]).to.deep.equal([200, 'Second']);
  });

  it('are pinned to servers by platform administrators, which nobody else sees, and the trail keeps', async () => {
    const region = { region: 'eu' };
    const made = await platform.post<Organization>('/organizations', {
      org_id: 'pinned',
      name: 'Pinned',
      placement: { labels: region },
    });
    expect(made.status).to.equal(201);
    expect(made.body.placement).to.deep.equal({ server_id: null, labels: region });
    const changed = await platform.patch<Organization>('/organizations/pinned', {
      placement: { server_id: 'default' },
    });
    expect(changed.body.placement).to.deep.equal({ server_id: 'default', labels: region });
    const own = await as('pinned', 'org_admin').get<Organization>('/organizations/pinned');
    expect(own.body).to.have.all.keys(...ORGANIZATION_FIELDS);

    const { items } = (await platform.get<Page<AuditEntry>>('/organizations/pinned/audit-logs')).body;
    expect(items.map(({ action, details }) => [action, details])).to.deep.equal([
      [
        'organization.placement_changed',
        {
          before: { server_id: null, labels: region },
          after: { server_id: 'default', labels: region },
        },
      ],
      ['organization.created', { name: 'Pinned', placement: { server_id: null, labels: region } }],
    ]);
  });

  it('get their database only where they are pinned to, and one that exists stays where it is', async () => {
    const jobs = () => as('pinned', 'member').get<Problem>('/organizations/pinned/jobs');
    const refused = await jobs();
    expect([refused.status, refused.body.code]).to.deep.equal([503, 'no_server_available']);
    await platform.patch('/admin/servers/default', { labels: { region: 'eu', tier: '1' } });
    expect((await jobs()).status).to.equal(200);
    await platform.patch('/organizations/pinned', { placement: { labels: { region: 'us' } } });
    expect((await jobs()).status).to.equal(200);
  });

  it('refuse a pin of another than a platform administrator, or to a server that nobody recorded', async () => {
    const placement = { server_id: 'nowhere' };
    const mine = await as('alpha', 'org_admin').patch<Problem>('/organizations/alpha', {
      name: 'Mine',
      placement,
    });
    expect([mine.status, mine.body.code]).to.deep.equal([403, 'role_required']);
    for (const reply of [
      await platform.patch<Problem>('/organizations/alpha', { name: 'Mine', placement }),
      await platform.post<Problem>('/organizations', { org_id: 'stray', name: 'Stray', placement }),
    ]) {
      expect([reply.status, reply.body.code]).to.deep.equal([422, 'validation_failed']);
      expect(reply.body.errors?.map(({ path }) => path)).to.deep.equal(['placement.server_id']);
    }
    const { body } = await platform.get<Organization>('/organizations/alpha');
    expect([body.name, body.placement]).to.deep.equal(['Second', { server_id: null, labels: {} }]);
    expect((await platform.get<Problem>('/organizations/stray')).status).to.equal(404);
  });

  it('are not renamed by members or workers, nor when they do not exist', async () => {
    for (const role of ['member', 'worker']) {
      const { status, body } = await as('alpha', role).patch<Problem>('/organizations/alpha', {
        name: 'Mine',
      });
      expect([status, body.code]).to.deep.equal([403, 'role_required']);
    }
    const missing = await platform.patch<Problem>('/organizations/nowhere', { name: 'Ghost' });
    expect([missing.status, missing.body.code]).to.deep.equal([404, 'organization_not_found']);
  });

  it('keep their settings, replaced as a whole, for their administrators alone', async () => {
    const path = '/organizations/alpha/settings';
    const administrator = as('alpha', 'org_admin');
    const settings = { theme: 'dark', limits: { jobs: 5 }, note: 'Größe 🧪', list: [1, 'a', null] };
    expect((await administrator.get(path)).body).to.deep.equal({ settings: {} });

    expect(await administrator.put(path, { settings })).to.deep.include({ status: 200, body: { settings } });
    expect((await administrator.get(path)).body).to.deep.equal({ settings });
    await administrator.put(path, { settings: { only: true } });
    expect((await administrator.get(path)).body).to.deep.equal({ settings: { only: true } });

    for (const caller of [as('alpha', 'member'), as('alpha', 'worker'), platform]) {
      expect((await caller.get<Problem>(path)).body.code).to.equal('role_required');
      expect((await caller.put<Problem>(path, { settings: {} })).body.code).to.equal('role_required');
    }
    const ghost = as('nowhere', 'org_admin');
    expect((await ghost.get<Problem>('/organizations/nowhere/settings')).status).to.equal(404);
    expect((await ghost.put<Problem>('/organizations/nowhere/settings', { settings })).status).to.equal(404);
  });

  it('are listed page by page, each once, for the platform administrator alone', async () => {
    await deployment.register('delta', ...Array.from({ length: 12 }, (_, n) => `list-${n + 10}`));
    const seen: string[] = [];
    let path = '/organizations?limit=5';
    for (;;) {
      const { status, body } = await platform.get<Page<Organization>>(path);
      expect(status).to.equal(200);
      expect(body).to.have.all.keys('items', 'next_cursor');
      expect(body.items.length).to.be.at.most(5);
      seen.push(...body.items.map(({ org_id }) => org_id));
      if (body.next_cursor === null) break;
      path = `/organizations?limit=5&cursor=${body.next_cursor}`;
    }

    expect(new Set(seen).size).to.equal(seen.length);
    expect(seen).to.include.members(['alpha', 'delta', 'list-10', 'list-21']);
    for (const role of ['org_admin', 'member', 'worker']) {
      expect((await as('alpha', role).get<Problem>('/organizations')).body.code).to.equal('role_required');
      const created = await as('alpha', role).post<Problem>('/organizations', {
        org_id: 'mine',
        name: 'Mine',
      });
      expect(created.body.code).to.equal('role_required');
    }
  });

  it('that are suspended are answered 403 organization_suspended', async () => {
    await deployment.administer(
      `insert into organizations (org_id, name, status) values ('paused', 'Paused', 'suspended')`,
      [],
      deployment.metadataDatabase,
    );

    const { status, body } = await as('paused', 'member').get<Problem>('/jobs');

    expect([status, body.code]).to.deep.equal([403, 'organization_suspended']);
    expect(await deployment.databases()).not.to.include(deployment.databaseName('paused'));
  });
});
