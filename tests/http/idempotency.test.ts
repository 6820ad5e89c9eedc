import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { Job, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

describe('Idempotency-Key', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let member: Caller;
  let worker: Caller;
  const body = { engine: 'vina', inputs: { ligand: 'imatinib', receptor: '1IEP' } };

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
    member = service.as(deployment.token('alpha', ['member']));
    worker = service.as(deployment.token('alpha', ['worker']));
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const post = (key: string, sent: unknown = body, by = member, path = '/jobs') =>
    by.post<Job & Problem>(path, sent, { 'Idempotency-Key': key });
  const countJobs = async (): Promise<number> =>
    (await member.get<Page<Job>>('/jobs?limit=200')).body.items.length;

  it('makes one job: 201, then 200 with the same one, by either address, however it is written', async () => {
    const first = await post('once');
    const written = {
      inputs: { receptor: '1IEP', ligand: 'imatinib' },
      priority: 0,
      params: {},
      engine: 'vina',
    };
    const replays = [
      await post('once'),
      await post('once', written),
      await post('once', body, member, '/organizations/alpha/jobs'),
      await post('once', body, service.as(deployment.token('alpha', ['org_admin'], { sub: 'user-2' }))),
    ];

    expect(first.status).to.equal(201);
    for (const replay of replays) {
      expect(replay.status).to.equal(200);
      expect(replay.body).to.deep.equal(first.body);
    }
  });

  it('answers with the first job as it is now', async () => {
    const first = (await post('moved')).body;
    await worker.patch(`/jobs/${first.job_id}`, { status: 'RUNNING' });
    const replay = await post('moved');
    expect([replay.status, replay.body.job_id, replay.body.status]).to.deep.equal([
      200,
      first.job_id,
      'RUNNING',
    ]);
  });

  it('is refused with another body, and nothing is made', async () => {
    await post('spent');
    const before = await countJobs();
    for (const other of [
      { ...body, engine: 'gnina' },
      { ...body, inputs: { ligand: 'imatinib' } },
      { ...body, params: { a: 1 } },
      { ...body, priority: 1 },
    ]) {
      const refused = await post('spent', other);
      expect([refused.status, refused.body.code]).to.deep.equal([409, 'idempotency_key_reused']);
    }
    expect(await countJobs()).to.equal(before);
  });

  it('is each organization’s own', async () => {
    const stranger = service.as(deployment.token('beta', ['member']));
    const mine = await post('shared');
    const theirs = await post('shared', { ...body, engine: 'gnina' }, stranger);
    expect([mine.status, theirs.status]).to.deep.equal([201, 201]);
    expect(theirs.body.job_id).not.to.equal(mine.body.job_id);
    expect((await post('shared')).body.job_id).to.equal(mine.body.job_id);
  });

  it('makes exactly one job of twenty requests at the same time', async () => {
    const before = await countJobs();
    const replies = await Promise.all(Array.from({ length: 20 }, () => post('race')));
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).to.deep.equal([
      ...Array.from({ length: 19 }, () => 200),
      201,
    ]);
    expect(new Set(replies.map(({ body: { job_id } }) => job_id)).size).to.equal(1);
    expect(await countJobs()).to.equal(before + 1);
  });

  it('counts one use of the cache for twenty requests at the same time', async () => {
    const cached = { engine: 'vina', inputs: { cached: true } };
    const job = (await member.post<Job>('/jobs', cached)).body;
    await worker.patch(`/jobs/${job.job_id}`, { status: 'RUNNING' });
    await worker.put(`/jobs/${job.job_id}/task-results/t`, { service_name: 'vina', result_data: {} });
    await worker.patch(`/jobs/${job.job_id}`, { status: 'COMPLETED' });

    const replies = await Promise.all(
      Array.from({ length: 20 }, () => post('cached', cached, member, '/jobs?use_cache=true')),
    );

    expect(new Set(replies.map(({ body: { job_id } }) => job_id)).size).to.equal(1);
    const entry = await member.get<{ hit_count: number }>(
      `/organizations/alpha/input-signatures/${job.input_signature}`,
    );
    expect(entry.body.hit_count).to.equal(1);
  });

  it('goes with the same hash of the request as in every release', async () => {
    await post('hashed', { engine: 'vina', inputs: { b: 1, a: [2] }, priority: 7 });
    const [row] = await deployment.administer<{ request_hash: string }>(
      `select request_hash from docking_jobs where idempotency_key = 'hashed'`,
      [],
      deployment.databaseName('alpha'),
    );
    const text =
      '{"engine":"vina","inputs":{"a":[2],"b":1},"params":{},"pipeline_version":"1.0.0","priority":7}';
    expect(row?.request_hash).to.equal(createHash('sha256').update(text).digest('hex'));
  });

  it('lasts over a restart', async () => {
    const first = await post('kept');
    const restarted = await HttpService.start(deployment);
    const caller = restarted.as(deployment.token('alpha', ['member']));
    const replay = await post('kept', body, caller);
    const refused = await post('kept', { ...body, priority: 5 }, caller);
    await restarted.close();

    expect([replay.status, replay.body]).to.deep.equal([200, first.body]);
    expect(refused.body.code).to.equal('idempotency_key_reused');
  });

  it('has at most 200 characters', async () => {
    expect((await post('k'.repeat(200))).status).to.equal(201);
    for (const key of ['k'.repeat(201), '']) {
      const refused = await post(key);
      expect([refused.status, refused.body.code, refused.body.errors?.[0]?.path]).to.deep.equal([
        422,
        'validation_failed',
        'Idempotency-Key',
      ]);
    }
  });
});
