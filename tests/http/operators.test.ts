import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { decorate } from '../support/decorate.ts';
import { createDeployment, TEST_JWT_SECRET, type Deployment } from '../support/deployment.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

interface Overview {
  readonly needs_you: readonly {
    readonly code: string;
    readonly sentence: string;
    readonly server_id: string | null;
    readonly organizations: number | null;
  }[];
  readonly organizations: {
    readonly total: number;
    readonly by_status: Readonly<Record<string, number>>;
    readonly by_database_state: Readonly<Record<string, number>>;
  };
  readonly servers: readonly { readonly server_id: string }[];
  readonly busiest: readonly { readonly org_id: string }[];
}

interface Instance {
  readonly instance_id: string;
  readonly answers: boolean;
  readonly silent: boolean;
  readonly servers: readonly { readonly server_id: string; readonly circuit: string }[];
  readonly busiest: readonly { readonly org_id: string; readonly open: number }[];
  readonly failing: readonly { readonly org_id: string; readonly code: string }[];
}

const DORMANT = 200;

describe('What operators look at', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;
  let statements = 0;

  before(async () => {
    deployment = await createDeployment();
    const container = deployment.start();
    decorate(container, TOKENS.metadataSql, (database) => ({
      query: (query) => {
        statements += 1;
        return database.query(query);
      },
    }));
    service = await HttpService.over(deployment, container);
    await container.get(TOKENS.useCases).registerServers();
    platform = service.as(deployment.token(null, ['platform_admin']));
    await deployment.metadata(
      `with made as (
         insert into organizations (org_id, name) select 'dormant-' || n, 'Dormant' from generate_series(1, ${DORMANT}) n
         returning org_id)
       insert into organization_databases (org_id, database_name, state, stamp, schema_version)
       select org_id, 'nowhere_' || org_id, 'ready', gen_random_uuid(), 3 from made`,
    );
    await deployment.register('alpha');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const beat = (): Promise<void> => service.container.get(TOKENS.processBeats).run();
  const connections = (): number => service.container.get(TOKENS.connectionManager).counts().connections;
  /** Once what the last look kept is too old. */
  const overview = async (): Promise<Overview> => {
    const fresh = await HttpService.over(deployment, deployment.start());
    await fresh.container.get(TOKENS.servers).start();
    const { body } = await fresh
      .as(deployment.token(null, ['platform_admin']))
      .get<Overview>('/admin/overview');
    await fresh.close();
    return body;
  };

  it('costs three statements at most, and no connection to a dormant database', async () => {
    for (const path of ['/admin/overview', '/admin/instances', '/admin/overview']) {
      statements = 0;
      expect((await platform.get(path)).status).to.equal(200);
      expect(statements, path).to.be.at.most(3);
    }
    expect(statements, 'kept for two seconds').to.equal(0);
    expect(connections()).to.equal(0);
  });

  it('counts organizations by status and by the state of their databases', async () => {
    const { organizations, servers } = await overview();
    expect(organizations).to.deep.equal({
      total: DORMANT + 1,
      by_status: { active: DORMANT + 1 },
      by_database_state: { ready: DORMANT, none: 1 },
    });
    expect(servers.map(({ server_id }) => server_id)).to.deep.equal(['default']);
  });

  it('names an organization that is refused, from the beat of the process that refused it', async () => {
    const member = service.as(deployment.token('dormant-7', ['member']));
    expect((await member.get('/jobs')).status).to.equal(503);
    expect((await platform.get('/organizations/dormant-7')).status).to.equal(200);
    await beat();
    const { body } = await platform.get<{ items: readonly Instance[] }>('/admin/instances');
    const own = body.items.find(({ answers }) => answers);
    expect(own).to.include({ silent: false });
    expect(own?.servers).to.have.length(1);
    expect(own?.busiest.map(({ org_id }) => org_id)).to.deep.equal(['dormant-7']);
    expect(own?.failing[0]).to.include({ org_id: 'dormant-7', code: 'database_unavailable' });
    const { needs_you } = await overview();
    const failing = needs_you.find(({ code }) => code === 'organizations_failing');
    expect(failing?.sentence).to.include('dormant-7 (database_unavailable)');
  });

  it('forgets a process that stops', async () => {
    const container = deployment.start();
    const beats = container.get(TOKENS.processBeats);
    beats.start();
    await beats.run();
    const listed = async () =>
      (await platform.get<{ items: readonly Instance[] }>('/admin/instances')).body.items.map(
        ({ instance_id }) => instance_id,
      );
    const id = container.get(TOKENS.instanceId);
    expect(await listed()).to.include(id);
    await beats.close();
    expect(await listed()).not.to.include(id);
  });
});

interface Pass {
  readonly origin: string;
  readonly dry_run: boolean;
  readonly total: number;
  readonly findings: readonly {
    readonly kind: string;
    readonly action: string;
    readonly org_id: string | null;
    readonly meaning: string;
    readonly next_step: string;
  }[];
}

describe('What operators have the service do', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.over(deployment, deployment.start());
    await service.container.get(TOKENS.useCases).registerServers();
    platform = service.as(deployment.token(null, ['platform_admin']));
    await deployment.register('alpha', 'lost');
    await deployment.metadata(
      `insert into organization_databases (org_id, database_name, state, stamp, schema_version)
       values ('lost', $1, 'ready', gen_random_uuid(), 3)`,
      deployment.databaseName('lost'),
    );
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const lastPass = async (): Promise<Pass | null> =>
    (await platform.get<{ pass: Pass | null }>('/admin/findings')).body.pass;
  const trail = async (action: string) =>
    (
      await platform.get<{ items: readonly { entity_id: string; details: object }[] }>(
        `/admin/audit-logs?action=${action}`,
      )
    ).body.items;

  it('is a comparison of the servers with the ledger, dry at first, whose findings are kept', async () => {
    expect(await lastPass()).to.equal(null);
    const { status, body } = await platform.post<Pass>('/admin/findings/reconcile', { dry_run: true });
    expect(status).to.equal(200);
    expect(body).to.include({ origin: 'operator', dry_run: true, total: 1 });
    expect(body.findings[0]).to.include({ kind: 'missing', action: 'reported', org_id: 'lost' });
    expect(body.findings[0]?.next_step).to.include('restore it from a backup');
    expect((await lastPass())?.findings).to.deep.equal(body.findings);
    const { body: overview } = await platform.get<Overview>('/admin/overview');
    expect(overview.needs_you.map(({ code }) => code)).to.include('databases_missing');
    expect((await trail('databases.reconciled')).map(({ details }) => details)).to.deep.equal([
      { dry_run: true },
    ]);
  });

  it('is kept of commands and of starts as well', async () => {
    const reconcile = service.container.get(TOKENS.reconcileDatabases);
    await reconcile({ dryRun: true, quarantineForeign: false });
    expect((await lastPass())?.origin).to.equal('command');
    await reconcile({ dryRun: false, quarantineForeign: false, resumeOnly: true, origin: 'start' });
    expect(await lastPass()).to.include({ origin: 'start', dry_run: false });
  });

  it('is a background task, now, in the process that answers', async () => {
    interface Task {
      readonly name: string;
      readonly last_success_at: string | null;
      readonly every_seconds: number;
      readonly next_run_at: string | null;
    }
    const { body } = await platform.get<{ items: readonly Task[] }>('/admin/tasks');
    const names = body.items.map(({ name }) => name);
    expect(names).to.include.members(['spare_refill', 'health_monitor', 'process_beat', 'change_feed']);
    const before = body.items.find(({ name }) => name === 'fleet_snapshot');
    expect(before).to.include({ last_success_at: null, every_seconds: 15, next_run_at: null });
    const { status, body: after } = await platform.post<Task>('/admin/tasks/fleet_snapshot/run');
    expect(status).to.equal(200);
    expect(after.last_success_at).to.be.a('string');
    for (const name of names)
      expect((await platform.post(`/admin/tasks/${name}/run`)).status, name).to.equal(200);
    expect((await trail('task.run')).map(({ entity_id }) => entity_id)).to.include('fleet_snapshot');
    const unknown = await platform.post<{ code: string }>('/admin/tasks/no_such_task/run');
    expect([unknown.status, unknown.body.code]).to.deep.equal([404, 'task_not_found']);
  });

  it('shows the configuration without any secret', async () => {
    interface Setting {
      readonly name: string;
      readonly value: string | null;
      readonly source: string;
      readonly secret: boolean;
    }
    const { body, text } = await platform.get<{ items: readonly Setting[] }>('/admin/config');
    const of = (name: string) => body.items.find((item) => item.name === name);
    expect(of('JWT_SECRET')).to.include({ value: '***', secret: true, source: 'environment' });
    expect(of('DB_POOL_SIZE')).to.include({ value: '20', source: 'default' });
    expect(of('TEST_DATABASE_URL')).to.equal(undefined);
    expect(text).not.to.include(TEST_JWT_SECRET);
    expect(of('DB_DATABASE_URL')?.value).to.include(deployment.metadataDatabase);
  });
});
