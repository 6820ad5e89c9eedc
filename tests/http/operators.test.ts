import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { decorate } from '../support/decorate.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
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
