import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import {
  CACHE_FIELDS,
  JOB_FIELDS,
  RFC3339_UTC,
  UUID,
  type Job,
  type Page,
  type Problem,
} from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

const STATUSES = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELED'] as const;
type Status = (typeof STATUSES)[number];

/** How a job gets into a status, by legal moves. */
const WAYS: Readonly<Record<Status, readonly Status[]>> = {
  PENDING: [],
  RUNNING: ['RUNNING'],
  COMPLETED: ['RUNNING', 'COMPLETED'],
  FAILED: ['RUNNING', 'FAILED'],
  CANCELED: ['CANCELED'],
};
const LEGAL: Readonly<Record<Status, readonly Status[]>> = {
  PENDING: ['RUNNING', 'CANCELED'],
  RUNNING: ['COMPLETED', 'FAILED', 'CANCELED'],
  COMPLETED: [],
  FAILED: [],
  CANCELED: [],
};

describe('Jobs over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let member: Caller;
  let worker: Caller;
  let administrator: Caller;
  let serial = 0;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
    member = service.as(deployment.token('alpha', ['member']));
    worker = service.as(deployment.token('alpha', ['worker'], { sub: 'worker-1' }));
    administrator = service.as(deployment.token('alpha', ['org_admin'], { sub: 'admin-1' }));
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const submit = async (by: Caller = member, home = '/jobs'): Promise<Job> => {
    serial += 1;
    const reply = await by.post<Job>(home, { engine: 'vina', inputs: { serial } });
    expect(reply.status).to.equal(201);
    return reply.body;
  };
  const move = (by: Caller, job: Job, status: Status, error?: string) =>
    by.patch<Job>(`/jobs/${job.job_id}`, { status, ...(error !== undefined && { error }) });
  const bring = async (status: Status): Promise<Job> => {
    let job = await submit();
    for (const step of WAYS[status]) job = (await move(worker, job, step)).body;
    expect(job.status).to.equal(status);
    return job;
  };

  it('are born PENDING with defaults filled in, at an address of their own', async () => {
    const inputs = { ligand: 'imatinib', receptor: '1IEP', box: { center: [15.19, 53.9, 16.917] } };
    const reply = await member.post<Job>('/organizations/alpha/jobs', { engine: 'vina', inputs });

    expect(reply.status).to.equal(201);
    const job = reply.body;
    expect(reply.headers['location']).to.equal(`/organizations/alpha/jobs/${job.job_id}`);
    expect(job).to.have.all.keys(...JOB_FIELDS);
    expect(job.cache).to.have.all.keys(...CACHE_FIELDS);
    expect(job.job_id).to.match(UUID);
    expect(job.input_signature).to.match(/^[0-9a-f]{64}$/);
    expect(job.created_at).to.match(RFC3339_UTC);
    expect(job.updated_at).to.match(RFC3339_UTC);
    expect(job).to.deep.include({
      status: 'PENDING',
      engine: 'vina',
      inputs,
      params: {},
      submitted_by: 'user-1',
      started_at: null,
      completed_at: null,
      error: null,
      cache: { hit: false, canonical_job_id: null, confidence_score: null },
    });
    expect((await member.get<Job>(reply.headers['location'] ?? '')).body).to.deep.equal(job);
  });

  it('answer under /jobs as well, where the claim alone decides', async () => {
    const { status, headers, body } = await member.post<Job>('/jobs', {
      engine: 'gnina',
      pipeline_version: '2.1.0',
      inputs: { a: 1 },
      params: { b: [2] },
      priority: 7,
    });
    expect(status).to.equal(201);
    expect(headers['location']).to.equal(`/jobs/${body.job_id}`);
    expect(body).to.deep.include({ pipeline_version: '2.1.0', params: { b: [2] }, priority: 7 });

    const homes = ['/jobs', '/organizations/alpha/jobs'];
    for (const home of homes) {
      expect((await worker.get<Job>(`${home}/${body.job_id}`)).body).to.deep.equal(body);
      const list = await worker.get<Page<Job>>(`${home}?limit=1`);
      expect(list.body.items).to.deep.equal([body]);
      for (const rest of ['task-results', 'artifacts']) {
        expect((await worker.get(`${home}/${body.job_id}/${rest}`)).body).to.deep.equal({
          items: [],
          next_cursor: null,
        });
      }
    }
  });

  it('of another organization are not found, nor are unknown ones', async () => {
    const job = await submit();
    const stranger = service.as(deployment.token('beta', ['member', 'worker']));
    for (const [caller, id] of [
      [stranger, job.job_id],
      [member, '00000000-0000-4000-8000-000000000000'],
    ] as const) {
      for (const rest of ['', '/task-results', '/artifacts']) {
        const { status, body } = await caller.get<Problem>(`/jobs/${id}${rest}`);
        expect([status, body.code]).to.deep.equal([404, 'job_not_found']);
      }
      const moved = await caller.patch<Problem>(`/jobs/${id}`, { status: 'CANCELED' });
      expect([moved.status, moved.body.code]).to.deep.equal([404, 'job_not_found']);
    }
    expect((await member.get<Job>(`/jobs/${job.job_id}`)).body).to.deep.equal(job);
  });

  for (const from of STATUSES) {
    for (const to of STATUSES) {
      const legal = LEGAL[from].includes(to);
      it(`${legal ? 'move' : 'do not move'} from ${from} to ${to}`, async () => {
        const job = await bring(from);

        const { status, body } = await worker.patch<Job & Problem>(`/jobs/${job.job_id}`, { status: to });

        if (legal) expect([status, body.status]).to.deep.equal([200, to]);
        else expect([status, body.code]).to.deep.equal([409, 'job_state_conflict']);
        const now = (await member.get<Job>(`/jobs/${job.job_id}`)).body;
        expect(now).to.deep.equal(legal ? body : job);
      });
    }
  }

  it('keep the times of their life, and the reason of a failure', async () => {
    const pending = await submit();
    const running = (await move(worker, pending, 'RUNNING')).body;
    expect(running.started_at).to.match(RFC3339_UTC);
    expect(running.completed_at).to.equal(null);
    expect(Date.parse(running.started_at ?? '')).to.be.at.least(Date.parse(pending.created_at));

    const failed = (await move(worker, running, 'FAILED', 'the box is empty')).body;
    expect(failed).to.include({ started_at: running.started_at, error: 'the box is empty' });
    expect(Date.parse(failed.completed_at ?? '')).to.be.at.least(Date.parse(failed.started_at ?? ''));
    expect(failed.updated_at >= running.updated_at).to.equal(true);

    const canceled = await bring('CANCELED');
    expect(canceled.started_at).to.equal(null);
    expect(canceled.completed_at).to.match(RFC3339_UTC);
    const completed = await bring('COMPLETED');
    expect(completed.error).to.equal(null);
  });

  it('are canceled by their owner, pending or running, and moved no other way by a member', async () => {
    for (const status of ['PENDING', 'RUNNING'] as const) {
      const job = await bring(status);
      for (const other of ['RUNNING', 'COMPLETED', 'FAILED'] as const) {
        const refused = await member.patch<Problem>(`/jobs/${job.job_id}`, { status: other });
        expect([refused.status, refused.body.code]).to.deep.equal([403, 'role_required']);
      }
      expect((await move(member, job, 'CANCELED')).status).to.equal(200);
    }
  });

  it('are not canceled by another member', async () => {
    const job = await submit();
    const other = service.as(deployment.token('alpha', ['member'], { sub: 'user-2' }));

    const { status, body } = await other.patch<Problem>(`/jobs/${job.job_id}`, { status: 'CANCELED' });

    expect([status, body.code]).to.deep.equal([403, 'role_required']);
    expect((await member.get<Job>(`/jobs/${job.job_id}`)).body.status).to.equal('PENDING');
  });

  it("are moved by the organization's administrator", async () => {
    const job = await submit();
    expect((await move(administrator, job, 'RUNNING')).status).to.equal(200);
    expect((await move(administrator, job, 'CANCELED')).status).to.equal(200);
  });

  it('are submitted by members and administrators, and by nobody else', async () => {
    expect((await submit(administrator)).submitted_by).to.equal('admin-1');
    const platform = service.as(deployment.token(null, ['platform_admin']));
    for (const caller of [worker, platform]) {
      for (const home of ['/jobs', '/organizations/alpha/jobs']) {
        const refused = await caller.post<Problem>(home, { engine: 'vina', inputs: { a: 1 } });
        expect([refused.status, refused.body.code]).to.deep.equal([403, 'role_required']);
      }
    }
    for (const path of [
      '/jobs',
      '/organizations/alpha/jobs',
      `/organizations/alpha/input-signatures/${'0'.repeat(64)}`,
    ]) {
      expect((await platform.get<Problem>(path)).body.code).to.equal('role_required');
    }
  });

  it('move once when several ask at the same time', async () => {
    const job = await submit();
    const replies = await Promise.all(Array.from({ length: 8 }, () => move(worker, job, 'RUNNING')));
    expect(replies.filter(({ status }) => status === 200)).to.have.length(1);
    expect(replies.filter(({ status }) => status === 409)).to.have.length(7);
  });
});
