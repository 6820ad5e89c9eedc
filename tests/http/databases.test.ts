import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { Job, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

interface Database {
  readonly org_id: string;
  readonly server_id: string;
  readonly database: string;
  readonly state: string;
  readonly schema_version: number | null;
  readonly last_error: string | null;
  readonly pool: {
    readonly open: number;
    readonly in_use: number;
    readonly idle: number;
    readonly waiting: number;
  } | null;
}
/** The contract leaves room for more. */
const DATABASE_FIELDS = [
  'org_id',
  'server_id',
  'database',
  'state',
  'schema_version',
  'last_error',
  'pool',
] as const;

describe('Databases over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;

  before(async () => {
    deployment = await createDeployment({ DB_AUTO_CREATE_ORG_DBS: 'false' });
    service = await HttpService.start(deployment, ['alpha', 'beta', 'gamma']);
    await deployment.register('alpha', 'beta', 'gamma');
    platform = service.as(deployment.token(null, ['platform_admin']));
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const memberOf = (organization: string): Caller => service.as(deployment.token(organization, ['member']));
  const provision = (organization: string) =>
    platform.post<Database & Problem>(`/admin/databases/${organization}/provision`);

  it('are not made at first use when that is switched off, and serve once they are provisioned', async () => {
    const body = { engine: 'vina', inputs: { ligand: 'CCO' } };
    for (const attempt of [1, 2]) {
      const refused = await memberOf('alpha').post<Problem>('/jobs', body);
      expect([attempt, refused.status, refused.body.code]).to.deep.equal([
        attempt,
        404,
        'organization_database_not_found',
      ]);
    }
    const absent = await platform.get<Problem>('/admin/databases/alpha');
    expect([absent.status, absent.body.code]).to.deep.equal([404, 'organization_database_not_found']);
    expect(await deployment.databases()).not.to.include(deployment.databaseName('alpha'));

    const provisioned = await provision('alpha');
    expect(provisioned.status).to.equal(200);
    expect(provisioned.body).to.include.all.keys(...DATABASE_FIELDS);
    expect(provisioned.body).to.include({
      org_id: 'alpha',
      database: deployment.databaseName('alpha'),
      state: 'ready',
      last_error: null,
    });
    expect(provisioned.body.schema_version).to.be.at.least(1);
    expect(await deployment.databases()).to.include(deployment.databaseName('alpha'));
    expect((await memberOf('alpha').post('/jobs', body)).status).to.equal(201);
  });

  it('are provisioned as often as asked, and keep what they hold', async () => {
    await provision('beta');
    const { job_id } = (await memberOf('beta').post<Job>('/jobs', { engine: 'vina', inputs: { a: 1 } })).body;
    const stamp = await stampOf('beta');

    const replies = await Promise.all(Array.from({ length: 5 }, () => provision('beta')));

    for (const { status, body } of replies) expect([status, body.state]).to.deep.equal([200, 'ready']);
    expect(await stampOf('beta')).to.deep.equal(stamp);
    expect((await memberOf('beta').get(`/jobs/${job_id}`)).status).to.equal(200);
  });

  it('are one when twenty ask to provision at the same time', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => provision('gamma')));
    expect(new Set(replies.map(({ status }) => status))).to.deep.equal(new Set([200]));
    const made = (await deployment.databases()).filter((name) => name === deployment.databaseName('gamma'));
    expect(made).to.have.length(1);
  });

  it('show the numbers of their pool in this process, and no pool where there is none', async () => {
    await memberOf('alpha').get('/jobs');
    const { status, body } = await platform.get<Database>('/admin/databases/alpha');
    expect(status).to.equal(200);
    expect(body).to.include.all.keys(...DATABASE_FIELDS);
    expect(body.pool).to.have.all.keys('open', 'in_use', 'idle', 'waiting');
    expect(body.pool).to.deep.equal({ open: 1, in_use: 0, idle: 1, waiting: 0 });
    expect((await platform.get<Database>('/admin/databases/gamma')).body.pool).to.equal(null);
  });

  it('are listed by state, page by page, and listing opens none', async () => {
    await deployment.administer(
      `update organization_databases set state = 'failed', last_error = 'disk full' where org_id = 'gamma'`,
      [],
      deployment.metadataDatabase,
    );
    const seen: Database[] = [];
    let cursor = '';
    do {
      const { body } = await platform.get<Page<Database>>(`/admin/databases?limit=1${cursor}`);
      expect(body).to.have.all.keys('items', 'next_cursor');
      seen.push(...body.items);
      cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
    } while (cursor !== '');
    expect(seen.map(({ org_id }) => org_id)).to.deep.equal(['alpha', 'beta', 'gamma']);
    for (const item of seen) expect(item).to.include.all.keys(...DATABASE_FIELDS);

    for (const [server, count] of [
      ['default', 3],
      ['elsewhere', 0],
    ] as const) {
      const { body } = await platform.get<Page<Database>>(`/admin/databases?server_id=${server}`);
      expect(body.items.map(({ server_id }) => server_id)).to.deep.equal(
        Array.from({ length: count }, () => server),
      );
    }
    const misnamed = await platform.get<Problem>('/admin/databases?server_id=No');
    expect([misnamed.status, misnamed.body.errors?.[0]?.path]).to.deep.equal([422, 'server_id']);

    const ready = await platform.get<Page<Database>>('/admin/databases?state=ready');
    expect(ready.body.items.map(({ org_id }) => org_id)).to.deep.equal(['alpha', 'beta']);
    const failed = await platform.get<Page<Database>>('/admin/databases?state=failed');
    expect(failed.body.items[0]).to.include({
      org_id: 'gamma',
      state: 'failed',
      last_error: 'disk full',
      pool: null,
    });
    expect((await platform.get<Problem>('/admin/databases?state=gone')).status).to.equal(422);
    expect((await platform.get<Database>('/admin/databases/gamma')).body.pool).to.equal(null);
  });

  it('are repaired by provisioning', async () => {
    await deployment.administer(
      `update organization_databases set state = 'failed', last_error = 'x' where org_id = 'gamma'`,
      [],
      deployment.metadataDatabase,
    );
    const { status, body } = await provision('gamma');
    expect([status, body.state, body.last_error]).to.deep.equal([200, 'ready', null]);
  });

  it('are not called ready when they are gone from the server, or another has their name', async () => {
    await deployment.register('epsilon');
    await provision('epsilon');
    const name = deployment.databaseName('epsilon');
    const lastError = async (): Promise<string | null> =>
      (await platform.get<Database>('/admin/databases/epsilon')).body.last_error;

    await deployment.administer(`alter database "${name}" rename to "${name}.moved"`);
    for (const present of [false, true]) {
      if (present) await deployment.administer(`create database "${name}"`);
      const { status, body } = await provision('epsilon');
      expect([status, body.code]).to.deep.equal([503, 'database_unavailable']);
      expect(await lastError()).to.match(present ? /another one than recorded/ : /missing/);
    }
    await deployment.administer(`drop database "${name}"`);
    await deployment.administer(`alter database "${name}.moved" rename to "${name}"`);
    const { status, body } = await provision('epsilon');
    expect([status, body.state, body.last_error]).to.deep.equal([200, 'ready', null]);
    await deployment.administer(
      `delete from organization_databases where org_id = 'epsilon'`,
      [],
      deployment.metadataDatabase,
    );
  });

  it('are nobody else’s business, and unknown organizations get none', async () => {
    for (const path of ['/admin/databases', '/admin/databases/alpha', '/admin/databases/alpha/provision']) {
      for (const role of ['org_admin', 'member', 'worker']) {
        const caller = service.as(deployment.token('alpha', [role]));
        const reply = path.endsWith('provision')
          ? await caller.post<Problem>(path)
          : await caller.get<Problem>(path);
        expect([path, reply.status, reply.body.code]).to.deep.equal([path, 403, 'role_required']);
      }
    }
    const unknown = await provision('nowhere');
    expect([unknown.status, unknown.body.code]).to.deep.equal([404, 'organization_not_found']);
    expect((await platform.get<Problem>('/admin/databases/nowhere')).body.code).to.equal(
      'organization_not_found',
    );
    expect(await deployment.databases()).not.to.include(deployment.databaseName('nowhere'));
  });

  const stampOf = (organization: string) =>
    deployment.administer(
      'select stamp, generation from organization_databases where org_id = $1',
      [organization],
      deployment.metadataDatabase,
    );
});
