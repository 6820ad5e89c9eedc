import { expect } from 'chai';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { asRelease, createReleases, provisionAll, registerMany, type Releases } from '../support/fleet.ts';
import { until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

interface Run {
  readonly run_id: number;
  readonly kind: string;
  readonly state: string;
  readonly served: boolean;
  readonly counts: Readonly<Record<string, number>>;
}
interface Started {
  readonly plan: {
    readonly organizations: number;
    readonly waves: readonly number[];
    readonly target_version: number;
  };
  readonly run: Run | null;
}

const ALL = { canaries: 1, wave: '50%', error_budget: 0 };

describe('Migrations over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let releases: Releases;
  let service: HttpService;
  let container: Container;
  let platform: Caller;
  let ids: readonly string[];

  before(async () => {
    releases = await createReleases([
      {
        name: 'add_note',
        up: `await knex.raw('alter table docking_jobs add column note text')`,
        down: `await knex.raw('alter table docking_jobs drop column note')`,
      },
    ]);
  });
  after(() => releases.dispose());
  beforeEach(async () => {
    deployment = await createDeployment();
    ids = await registerMany(deployment, 3);
    await provisionAll(asRelease(deployment.start(), releases.release(releases.base)), ids);
    container = asRelease(deployment.start(), releases.release(releases.newest));
    await begin();
  });
  afterEach(async () => {
    await container.get(TOKENS.runServer).close();
    await service.close();
    await deployment.dispose();
  });

  const begin = async (): Promise<void> => {
    service = await HttpService.over(deployment, container);
    platform = service.as(deployment.token(null, ['platform_admin']));
  };
  const post = <Body>(path: string, body: object) => platform.post<Body>(`/admin/migrations${path}`, body);
  const run = async (id: number): Promise<Run> => (await platform.get<Run>(`/admin/migrations/${id}`)).body;
  const work = (): Promise<void> => container.get(TOKENS.runServer).run();
  const ended = (id: number, state: string) =>
    until(`run ${id} is ${state}`, async () => (await run(id)).state === state);
  const breakMigrationOf = (id: string) =>
    deployment.administer('alter table docking_jobs add column note text', [], deployment.databaseName(id));
  const mendMigrationOf = (id: string) =>
    deployment.administer('alter table docking_jobs drop column note', [], deployment.databaseName(id));

  it('are planned in a dry run that writes nothing down', async () => {
    const { status, body } = await post<Started>('', { ...ALL, dry_run: true });
    expect(status).to.equal(200);
    expect(body.run).to.equal(null);
    expect(body.plan).to.deep.include({ organizations: 3, waves: [1, 2], target_version: releases.newest });
    expect((await platform.get<{ items: readonly Run[] }>('/admin/migrations')).body.items).to.deep.equal([]);
  });

  it('are written down, and done by the service', async () => {
    const { status, headers, body } = await post<Started>('', { ...ALL, seen_run_id: null });
    expect(status).to.equal(201);
    const id = body.run?.run_id ?? 0;
    expect(headers['location']).to.equal(`/admin/migrations/${id}`);
    expect(body.run).to.include({ state: 'running', served: true });
    await work();
    await ended(id, 'finished');
    expect((await run(id)).counts).to.include({ done: 3, failed: 0 });
    expect((await post<Started>('', ALL)).body.run).to.equal(null);
    const trail = await platform.get<{ items: readonly { action: string }[] }>('/admin/audit-logs');
    expect(trail.body.items.map(({ action }) => action)).to.include('migration.started');
  });

  it('are left to the commands where a command began them, and to processes that know the schema', async () => {
    const operator = container.get(TOKENS.fleetOperator);
    const aborted = AbortSignal.abort();
    const plan = { only: null, canaries: 0, waveSize: { percent: 100 } } as const;
    await operator.run({ ...plan, errorBudget: { count: 0 } }, { concurrency: 1, signal: aborted });
    await work();
    expect((await run(1)).served).to.equal(false);
    expect((await run(1)).counts).to.include({ pending: 3 });
    await post('/1/pause', { state: 'running' });
    await post('/1/resume', { state: 'paused' });
    const older = asRelease(deployment.start(), releases.release(releases.base));
    await older.get(TOKENS.runServer).run();
    expect((await run(1)).counts).to.include({ pending: 3 });
    await older.get(TOKENS.runServer).close();
    await work();
    await ended(1, 'finished');
  });

  it('halt at a failing canary, and go on when what failed is tried again', async () => {
    const [canary = ''] = ids;
    await breakMigrationOf(canary);
    await post('', { ...ALL, canaries: [canary] });
    await work();
    await ended(1, 'halted');
    const stale = await post<Problem>('/1/retry', { state: 'running' });
    expect([stale.status, stale.body.code]).to.deep.equal([409, 'migration_state_conflict']);
    expect((await post<Problem>('/1/resume', { state: 'halted', failed: 2 })).status).to.equal(409);
    expect((await post<Problem>('/1/pause', { state: 'halted' })).status).to.equal(409);
    expect((await post<Problem>('', ALL)).status, 'while another one is unfinished').to.equal(409);
    expect((await run(1)).state, 'nothing was changed').to.equal('halted');
    await mendMigrationOf(canary);
    const retried = await post<Run>('/1/retry', { state: 'halted', failed: 1, org_ids: [canary] });
    expect(retried.body).to.include({ state: 'running' });
    await until('this process looks again', async () => {
      await work();
      return (await run(1)).state === 'finished';
    });
    expect((await run(1)).counts).to.include({ done: 3 });
  });

  it('are taken back in a run of their own', async () => {
    await post('', ALL);
    await work();
    await ended(1, 'finished');
    const { status, body } = await post<Run>('/1/rollback', { state: 'finished', org_ids: ids });
    expect(status).to.equal(201);
    expect(body).to.include({ run_id: 2, kind: 'rollback', state: 'running' });
    expect((await post<Problem>('/1/rollback', { state: 'finished', wave: 0 })).status).to.equal(409);
    await until('this process looks again', async () => {
      await work();
      return (await run(2)).state === 'finished';
    });
    expect((await run(2)).counts).to.include({ done: 3 });
    expect((await post<Problem>('', { ...ALL, seen_run_id: 1 })).status).to.equal(409);
  });

  it('are refused for organizations that there are not, and runs that there are not', async () => {
    expect((await post<Problem>('', { org_ids: ['nobody'] })).body.code).to.equal('organization_not_found');
    expect((await post<Problem>('/7/pause', { state: 'running' })).body.code).to.equal(
      'migration_run_not_found',
    );
    for (const body of [{ target: 9999 }]) expect((await post<Problem>('', body)).status).to.equal(409);
    for (const body of [
      { kind: 'rollback' },
      { wave: 0 },
      { wave: '101%' },
      { error_budget: -1 },
      { canaries: 1.5 },
      { canaries: ['Acme'] },
      { seen_run_id: 0 },
      { dry_run: 'yes' },
    ]) {
      const { status, body: problem } = await post<Problem>('', body);
      expect(status, JSON.stringify(body)).to.equal(422);
      expect(problem.errors?.[0]?.path).to.match(new RegExp(`^${Object.keys(body).join('')}`));
    }
    for (const body of [{ state: 'halted' }, { state: 'halted', wave: 0, org_ids: ['a'] }, { wave: 0 }])
      expect((await post<Problem>('/1/rollback', body)).status, JSON.stringify(body)).to.equal(422);
  });
});
