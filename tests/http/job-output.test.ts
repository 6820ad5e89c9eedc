import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { RFC3339_UTC, UUID, type Job, type Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

interface TaskResult {
  readonly task_result_id: string;
  readonly job_id: string;
  readonly task_name: string;
  readonly service_version: string | null;
  readonly confidence_score: number | null;
  readonly result_data: Readonly<Record<string, unknown>>;
  readonly created_at: string;
}
interface Artifact {
  readonly artifact_id: string;
  readonly job_id: string;
  readonly name: string;
  readonly size_bytes: number | null;
  readonly created_at: string;
}
interface Items<Item> {
  readonly items: readonly Item[];
}

describe('What jobs bring forth over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let member: Caller;
  let worker: Caller;
  let administrator: Caller;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha']);
    await deployment.register('alpha');
    member = service.as(deployment.token('alpha', ['member']));
    worker = service.as(deployment.token('alpha', ['worker']));
    administrator = service.as(deployment.token('alpha', ['org_admin']));
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const submit = async (): Promise<string> =>
    (await member.post<Job>('/jobs', { engine: 'vina', inputs: { at: performance.now() } })).body.job_id;
  const artifact = { name: 'poses.sdf', purpose: 'poses', uri: 's3://bucket/poses.sdf' };
  const result = { service_name: 'vina', result_data: { affinity: -13.2, modes: [{ rmsd: 0 }] } };

  it('are task results: new with 201, replaced with 200 under the same id', async () => {
    const job = await submit();
    const path = `/organizations/alpha/jobs/${job}/task-results/docking`;
    const full = { ...result, service_version: '1.2.5', schema_version: '3', confidence_score: 0.75 };

    const first = await worker.put<TaskResult>(path, full);
    const second = await worker.put<TaskResult>(path, { ...result, confidence_score: 1 });

    expect([first.status, second.status]).to.deep.equal([201, 200]);
    expect(first.body).to.include({ job_id: job, task_name: 'docking', ...pick(full) });
    expect(first.body.result_data).to.deep.equal(full.result_data);
    expect(first.body.task_result_id).to.match(UUID);
    expect(first.body.created_at).to.match(RFC3339_UTC);
    expect(second.body.task_result_id).to.equal(first.body.task_result_id);
    expect(second.body.confidence_score).to.equal(1);
    expect(second.body.service_version).to.equal(null);
    const read = await member.get<Items<TaskResult>>(`/jobs/${job}/task-results`);
    expect(read.body).to.deep.equal({ items: [second.body], next_cursor: null });
  });

  it('are one task result when two are written at the same time', async () => {
    const job = await submit();
    const replies = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        worker.put(`/jobs/${job}/task-results/docking`, { ...result, confidence_score: n / 10 }),
      ),
    );
    expect(replies.filter(({ status }) => status === 201)).to.have.length(1);
    expect((await member.get<Items<TaskResult>>(`/jobs/${job}/task-results`)).body.items).to.have.length(1);
  });

  it('are artifacts, in the order they came', async () => {
    const job = await submit();
    const path = `/organizations/alpha/jobs/${job}/artifacts`;
    const full = {
      name: 'log.txt',
      purpose: 'log',
      uri: 'file:///data/log.txt',
      content_type: 'text/plain',
      size_bytes: 9_007_199_254_740_991,
      checksum: 'sha256:abc',
    };

    const first = await worker.post<Artifact>(path, artifact);
    const second = await worker.post<Artifact>(path, full);

    expect([first.status, second.status]).to.deep.equal([201, 201]);
    expect(first.body).to.include({
      job_id: job,
      ...artifact,
      content_type: null,
      size_bytes: null,
      checksum: null,
    });
    expect(second.body).to.include(full);
    expect(first.body.artifact_id).to.match(UUID);
    expect(first.body.created_at).to.match(RFC3339_UTC);
    expect((await member.get(path)).body).to.deep.equal({
      items: [first.body, second.body],
      next_cursor: null,
    });
  });

  it('are written by workers alone', async () => {
    const job = await submit();
    for (const caller of [member, administrator]) {
      const put = await caller.put<Problem>(`/jobs/${job}/task-results/docking`, result);
      const post = await caller.post<Problem>(`/jobs/${job}/artifacts`, artifact);
      expect([put.body.code, post.body.code]).to.deep.equal(['role_required', 'role_required']);
    }
    for (const rest of ['task-results', 'artifacts']) {
      expect((await administrator.get(`/jobs/${job}/${rest}`)).body).to.deep.equal({
        items: [],
        next_cursor: null,
      });
    }
  });

  it('are refused for a job that is not there, and for one that is finished', async () => {
    const finished = await submit();
    await worker.patch(`/jobs/${finished}`, { status: 'CANCELED' });
    for (const [job, status, code] of [
      ['00000000-0000-4000-8000-000000000000', 404, 'job_not_found'],
      [finished, 409, 'job_state_conflict'],
    ] as const) {
      const put = await worker.put<Problem>(`/jobs/${job}/task-results/docking`, result);
      const post = await worker.post<Problem>(`/jobs/${job}/artifacts`, artifact);
      expect([put.status, put.body.code, post.status, post.body.code]).to.deep.equal([
        status,
        code,
        status,
        code,
      ]);
    }
  });
});

const pick = ({ confidence_score, service_version, schema_version }: Record<string, unknown>) => ({
  confidence_score,
  service_version,
  schema_version,
});
