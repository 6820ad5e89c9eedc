import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { RFC3339_UTC, SIGNATURE_FIELDS, type Job, type Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

interface Signature {
  readonly canonical_job_id: string;
  readonly confidence_score: number | null;
  readonly hit_count: number;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly expires_at: string | null;
}

/** RFC 8785 for objects, arrays, texts and numbers: keys sorted by UTF-16 code units, JavaScript's number form. */
const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
};
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('The cache of jobs over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let member: Caller;
  let worker: Caller;
  let serial = 0;

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

  const newBody = () => {
    serial += 1;
    return { engine: 'vina', inputs: { serial } };
  };
  const finish = async (job: Job, scores: readonly (number | null)[] = [0.9, 0.7]): Promise<void> => {
    await worker.patch(`/jobs/${job.job_id}`, { status: 'RUNNING' });
    for (const [n, score] of scores.entries()) {
      await worker.put(`/jobs/${job.job_id}/task-results/task-${n}`, {
        service_name: 'vina',
        result_data: { n },
        ...(score !== null && { confidence_score: score }),
      });
    }
    await worker.post(`/jobs/${job.job_id}/artifacts`, { name: 'a', purpose: 'poses', uri: 'file:///a' });
    expect((await worker.patch(`/jobs/${job.job_id}`, { status: 'COMPLETED' })).status).to.equal(200);
  };
  const signatureOf = (job: Job) =>
    member.get<Signature & Problem>(`/organizations/alpha/input-signatures/${job.input_signature}`);

  it('knows a job by the SHA-256 of its canonical JSON, defaults filled in', async () => {
    const inputs = {
      z: 1,
      ä: [1e21, 0.1, -0, 1e-7],
      a: { '\u20ac': '€\n"\\', '\r': null, '1': true, '😀': 'x' },
    };
    const cases = [
      [
        { engine: 'vina', inputs },
        { engine: 'vina', inputs, params: {}, pipeline_version: '1.0.0' },
      ],
      [
        { params: { b: 1, a: 2 }, pipeline_version: '9', inputs: { q: 'w' }, engine: 'gnina', priority: 3 },
        { engine: 'gnina', inputs: { q: 'w' }, params: { a: 2, b: 1 }, pipeline_version: '9' },
      ],
    ] as const;
    for (const [body, specification] of cases) {
      const job = (await member.post<Job>('/jobs', body)).body;
      expect(job.pipeline_version).to.equal(specification.pipeline_version);
      expect(job.input_signature).to.equal(sha256(canonical(specification)));
    }
  });

  it('does not care for the order of keys, nor for whether defaults are written out', async () => {
    const bodies = [
      '{"engine":"vina","inputs":{"a":1,"b":{"c":2,"d":3}}}',
      '{"inputs":{"b":{"d":3,"c":2},"a":1.0},"engine":"vina"}',
      '{"engine":"vina","params":{},"pipeline_version":"1.0.0","inputs":{"b":{"c":2,"d":3},"a":1},"priority":9}',
    ];
    const signatures = new Set<string>();
    for (const body of bodies) signatures.add((await member.post<Job>('/jobs', body)).body.input_signature);
    expect(signatures.size).to.equal(1);
    const other = await member.post<Job>('/jobs', '{"engine":"vina","inputs":{"a":2,"b":{"c":2,"d":3}}}');
    expect(signatures).not.to.include(other.body.input_signature);
  });

  it('answers a later submission with the canonical job, its score, task results and artifacts', async () => {
    const body = newBody();
    const canonicalJob = (await member.post<Job>('/jobs', body)).body;
    await finish(canonicalJob);

    const reply = await member.post<Job>('/organizations/alpha/jobs?use_cache=true', body);
    const hit = reply.body;

    expect(reply.status).to.equal(201);
    expect(reply.headers['location']).to.equal(`/organizations/alpha/jobs/${hit.job_id}`);
    expect(hit.job_id).not.to.equal(canonicalJob.job_id);
    expect(hit.status).to.equal('COMPLETED');
    expect(hit.completed_at).to.match(RFC3339_UTC);
    expect(hit.cache).to.deep.equal({
      hit: true,
      canonical_job_id: canonicalJob.job_id,
      confidence_score: 0.7,
    });
    for (const rest of ['task-results', 'artifacts']) {
      const own = await member.get<{ items: readonly unknown[] }>(`/jobs/${canonicalJob.job_id}/${rest}`);
      expect(own.body.items).not.to.be.empty;
      expect((await member.get(`/jobs/${hit.job_id}/${rest}`)).body).to.deep.equal(own.body);
    }
    expect((await member.get<Job>(`/jobs/${hit.job_id}`)).body).to.deep.equal(hit);
  });

  it('counts its uses, and looking is none', async () => {
    const body = newBody();
    const job = (await member.post<Job>('/jobs', body)).body;
    expect([(await signatureOf(job)).status, (await signatureOf(job)).body.code]).to.deep.equal([
      404,
      'signature_not_found',
    ]);
    await finish(job, [0.5]);

    const fresh = await signatureOf(job);
    expect(fresh.status).to.equal(200);
    expect(fresh.body).to.have.all.keys(...SIGNATURE_FIELDS);
    expect(fresh.body).to.deep.include({
      signature: job.input_signature,
      canonical_job_id: job.job_id,
      confidence_score: 0.5,
      hit_count: 0,
    });
    expect(fresh.body.created_at).to.match(RFC3339_UTC);
    expect(fresh.body.last_used_at).to.match(RFC3339_UTC);
    await Promise.all(Array.from({ length: 5 }, () => member.post('/jobs?use_cache=true', body)));
    expect((await signatureOf(job)).body.hit_count).to.equal(5);
    expect((await signatureOf(job)).body.canonical_job_id).to.equal(job.job_id);
  });

  it('is not asked with use_cache=false, and has no answer for other inputs', async () => {
    const body = newBody();
    const job = (await member.post<Job>('/jobs', body)).body;
    await finish(job);

    const unasked = (await member.post<Job>('/jobs?use_cache=false', body)).body;
    const others = [
      { ...body, params: { exhaustiveness: 8 } },
      { ...body, pipeline_version: '2.0.0' },
      { ...body, engine: 'gnina' },
    ];
    const missed = await Promise.all(others.map((other) => member.post<Job>('/jobs?use_cache=true', other)));

    for (const made of [unasked, ...missed.map((reply) => reply.body)]) {
      expect(made).to.deep.include({
        status: 'PENDING',
        cache: { hit: false, canonical_job_id: null, confidence_score: null },
      });
    }
    expect((await signatureOf(job)).body.hit_count).to.equal(0);
  });

  it('does not take a job without task results, nor one that failed', async () => {
    const empty = (await member.post<Job>('/jobs', newBody())).body;
    await finish(empty, []);
    expect((await signatureOf(empty)).status).to.equal(404);

    const body = newBody();
    const failed = (await member.post<Job>('/jobs', body)).body;
    await worker.patch(`/jobs/${failed.job_id}`, { status: 'RUNNING' });
    await worker.put(`/jobs/${failed.job_id}/task-results/t`, { service_name: 'vina', result_data: {} });
    await worker.patch(`/jobs/${failed.job_id}`, { status: 'FAILED', error: 'crash' });
    expect((await signatureOf(failed)).status).to.equal(404);
    expect((await member.post<Job>('/jobs?use_cache=true', body)).body.status).to.equal('PENDING');
  });

  it('gives no score where the tasks gave none', async () => {
    const body = newBody();
    await finish((await member.post<Job>('/jobs', body)).body, [null]);
    const hit = (await member.post<Job>('/jobs?use_cache=true', body)).body;
    expect(hit.cache.hit).to.equal(true);
    expect(hit.cache.confidence_score).to.equal(null);
  });

  it('is each organization’s own', async () => {
    const body = newBody();
    const job = (await member.post<Job>('/jobs', body)).body;
    await finish(job);
    const stranger = service.as(deployment.token('beta', ['member']));

    const { body: made } = await stranger.post<Job>('/jobs?use_cache=true', body);

    expect(made.input_signature).to.equal(job.input_signature);
    expect([made.status, made.cache.hit]).to.deep.equal(['PENDING', false]);
    const asked = await stranger.get<Problem>(`/organizations/beta/input-signatures/${job.input_signature}`);
    expect([asked.status, asked.body.code]).to.deep.equal([404, 'signature_not_found']);
  });
});
