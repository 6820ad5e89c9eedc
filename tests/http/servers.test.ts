import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { captureLog, type LogEntry } from '../support/captured-log.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { AuditEntry, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

interface Server {
  readonly server_id: string;
  readonly status: string;
  readonly weight: number;
  readonly max_databases: number | null;
  readonly databases: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly configured: boolean;
  readonly available: boolean;
  readonly problems: readonly string[];
  readonly connections: { readonly open: number; readonly share: number; readonly waiting: number } | null;
}

describe('Servers over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;
  let log: readonly LogEntry[];

  before(async () => {
    deployment = await createDeployment();
    const closed = 'postgresql://nobody:x@127.0.0.1:1/mad_{org_id}';
    const container = deployment.start({ DB_RESULTS_DB_TEMPLATE_CLOSED: closed });
    log = captureLog(container);
    service = await HttpService.over(deployment, container, ['alpha']);
    await service.container.get(TOKENS.useCases).registerServers();
    platform = service.as(deployment.token(null, ['platform_admin']));
    await deployment.register('alpha', 'beta');
    // One that another process is configured for.
    await deployment.administer(
      `insert into results_servers (server_id) values ('faraway')`,
      [],
      deployment.metadataDatabase,
    );
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const jobsOf = (organization: string) =>
    service.as(deployment.token(organization, ['member'])).get<Problem>('/jobs');

  it('are listed by id, with what is recorded of them and what the process knows', async () => {
    expect((await jobsOf('alpha')).status).to.equal(200);
    const { status, body } = await platform.get<{ items: readonly Server[] }>('/admin/servers');
    expect(status).to.equal(200);
    expect(body).to.have.all.keys('items');
    const [closed, first, second] = body.items;
    expect(closed).to.include({ server_id: 'closed', configured: true });
    expect(first).to.deep.equal({
      server_id: 'default',
      status: 'active',
      weight: 100,
      max_databases: null,
      databases: 1,
      labels: {},
      configured: true,
      available: true,
      problems: [],
      connections: { open: 1, share: first?.connections?.share, waiting: 0 },
    });
    expect(first?.connections?.share).to.be.at.least(1);
    expect(second).to.include({
      server_id: 'faraway',
      databases: 0,
      configured: false,
      available: false,
      connections: null,
    });
    expect((await platform.get<Server>('/admin/servers/faraway')).body).to.deep.equal(second);
  });

  it('change in what is given, audited with what was before', async () => {
    const labels = { region: 'eu-central.1', tier: 'A' };
    const changed = await platform.patch<Server>('/admin/servers/faraway', {
      status: 'disabled',
      weight: 50,
      labels,
    });
    expect(changed.status).to.equal(200);
    expect(changed.body).to.deep.include({ status: 'disabled', weight: 50, labels, max_databases: null });
    const limited = await platform.patch<Server>('/admin/servers/faraway', { max_databases: 7, labels: {} });
    expect(limited.body).to.deep.include({ status: 'disabled', weight: 50, labels: {}, max_databases: 7 });
    const unlimited = await platform.patch<Server>('/admin/servers/faraway', { max_databases: null });
    expect(unlimited.body).to.deep.include({ max_databases: null });
    expect((await platform.get<Server>('/admin/servers/faraway')).body).to.deep.equal(unlimited.body);

    const { body } = await platform.get<Page<AuditEntry>>('/admin/audit-logs?action=server.changed');
    expect(body.items).to.have.length(3);
    expect(body.items[2]).to.deep.include({
      org_id: null,
      user_id: 'user-1',
      entity_type: 'server',
      entity_id: 'faraway',
      details: {
        before: { status: 'active', weight: 100, max_databases: null, labels: {} },
        after: { status: 'disabled', weight: 50, max_databases: null, labels },
      },
    });
  });

  it('that are drained take no new organization, and go on serving those that they hold', async () => {
    await platform.patch('/admin/servers/default', { status: 'draining' });
    const refused = await jobsOf('beta');
    expect([refused.status, refused.body.code]).to.deep.equal([503, 'no_server_available']);
    // The client is not told. The line of its request says why each server did not take it.
    const line = log.find(
      ({ message, fields }) =>
        message === 'request finished' && 'code' in fields && fields.code === 'no_server_available',
    );
    expect(line?.level).to.equal('warn');
    const reason = line !== undefined && 'reason' in line.fields ? line.fields.reason : null;
    expect(reason).to.include(': closed (unavailable), default (draining), faraway (disabled).');
    expect((await jobsOf('alpha')).status).to.equal(200);

    await platform.patch('/admin/servers/default', { status: 'active', max_databases: 1 });
    expect((await jobsOf('beta')).body.code).to.equal('no_server_available');

    await platform.patch('/admin/servers/default', { max_databases: 2 });
    expect((await jobsOf('beta')).status).to.equal(200);
    expect((await platform.get<Server>('/admin/servers/default')).body.databases).to.equal(2);
  });

  it('that nobody recorded are 404', async () => {
    for (const reply of [
      await platform.get<Problem>('/admin/servers/nowhere'),
      await platform.patch<Problem>('/admin/servers/nowhere', { weight: 1 }),
    ])
      expect([reply.status, reply.body.code]).to.deep.equal([404, 'server_not_found']);
  });

  it('refuse what cannot be kept, and name it', async () => {
    const long = 'x'.repeat(61);
    for (const [body, path, message] of [
      [{ status: 'gone' }, 'status', /active/],
      [{ weight: 0 }, 'weight', /1/],
      [{ weight: null }, 'weight', /./],
      [{ max_databases: -1 }, 'max_databases', /0/],
      [{ max_databases: 2 ** 31 }, 'max_databases', /2147483647/],
      [{ labels: { Region: 'eu' } }, 'labels.Region', /lower-case/],
      [{ labels: { region: '' } }, 'labels.region', /1 to 60/],
      [{ labels: { region: long } }, 'labels.region', /1 to 60/],
      [{ labels: { region: 7 } }, 'labels.region', /string/],
      [{ labels: JSON.parse('{"__proto__": "eu"}') }, 'labels', /__proto__/],
      [
        { labels: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`l${n}`, 'x'])) },
        'labels',
        /at most 20/,
      ],
      [{ region: 'eu' }, 'region', /not a known field/],
    ] as const) {
      const reply = await platform.patch<Problem>('/admin/servers/default', body);
      expect([reply.status, reply.body.code]).to.deep.equal([422, 'validation_failed']);
      expect(reply.body.errors?.map((issue) => issue.path)).to.deep.equal([path]);
      expect(reply.body.errors?.[0]?.message).to.match(message);
    }
    for (const id of ['EU', '1a', 'metadata', 'a-b', 'x'.repeat(31)]) {
      const reply = await platform.get<Problem>(`/admin/servers/${id}`);
      expect([reply.status, reply.body.errors?.[0]?.path]).to.deep.equal([422, 'server_id']);
    }
  });
});
