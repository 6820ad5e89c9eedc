import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Job, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { lockTable } from '../support/server-faults.ts';

interface CampaignReply {
  readonly campaign_id: string;
  readonly name: string;
  readonly archived_at: string | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly suspect: number;
}
interface Batch {
  readonly batch_id: string;
  readonly campaign_id: string | null;
  readonly items: readonly {
    readonly index: number;
    readonly job_id: string;
    readonly status: string;
    readonly cache_hit: boolean;
  }[];
}
interface Ranked {
  readonly rank: number;
  readonly job_id: string;
  readonly label: string | null;
  readonly best_affinity_kcal_mol: number;
  readonly suspect: readonly string[];
  readonly poses: readonly object[];
}

interface Histogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  readonly below: number;
  readonly above: number;
}

const NONE = '00000000-0000-4000-8000-000000000000';

describe('Campaigns over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let member: Caller;
  let worker: Caller;
  let administrator: Caller;
  let stranger: Caller;
  let serial = 0;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
    member = service.as(deployment.token('alpha', ['member']));
    worker = service.as(deployment.token('alpha', ['worker']));
    administrator = service.as(deployment.token('alpha', ['org_admin'], { sub: 'admin-1' }));
    stranger = service.as(deployment.token('beta', ['member', 'org_admin']));
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const makeCampaign = async (body: object = {}): Promise<CampaignReply> => {
    const reply = await member.post<CampaignReply>('/campaigns', { name: 'Kinases', ...body });
    expect(reply.status, reply.text).to.equal(201);
    return reply.body;
  };
  const unique = () => {
    serial += 1;
    return serial;
  };
  const finish = async (jobId: string, affinities: readonly number[], rest: object = {}): Promise<void> => {
    await worker.patch(`/jobs/${jobId}`, { status: 'RUNNING' });
    const poses = affinities.map((affinity, index) => ({ rank: index + 1, affinity_kcal_mol: affinity }));
    const result = { service_name: 'vina', result_data: {}, poses, ...rest };
    const written = await worker.put(`/jobs/${jobId}/task-results/docking`, result);
    expect(written.status, written.text).to.equal(201);
    const moved = await worker.patch(`/jobs/${jobId}`, { status: 'COMPLETED' });
    expect(moved.status, moved.text).to.equal(200);
  };
  const codes = ({ status, body }: { readonly status: number; readonly body: Problem }) => [
    status,
    body.code,
  ];
  const jobsOf = async (campaignId: string): Promise<readonly Job[]> =>
    (await member.get<Page<Job>>(`/jobs?campaign_id=${campaignId}&limit=200`)).body.items;

  it('are made, shown, listed, renamed and archived, with and without the organization in the path', async () => {
    const made = await member.post<CampaignReply>('/organizations/alpha/campaigns', {
      name: '激酶 é',
      description: 'two\nlines',
      engine: 'vina',
      inputs: { receptor: 'r' },
      params: { seed: 1 },
      priority: 7,
    });
    expect(made.status).to.equal(201);
    const path = `/campaigns/${made.body.campaign_id}`;
    expect(made.headers['location']).to.equal(`/organizations/alpha${path}`);
    expect(made.body).to.deep.include({ name: '激酶 é', engine: 'vina', priority: 7, archived_at: null });
    const shown = await worker.get<CampaignReply>(path);
    expect(shown.body).to.deep.equal({
      ...made.body,
      counts: { PENDING: 0, RUNNING: 0, COMPLETED: 0, FAILED: 0, CANCELED: 0 },
      suspect: 0,
    });
    const changed = await administrator.patch<CampaignReply>(path, { name: 'Renamed', archived: true });
    expect(changed.body.name).to.equal('Renamed');
    expect(changed.body.archived_at).to.be.a('string');
    const listed = await member.get<Page<CampaignReply>>('/campaigns?archived=true');
    expect(listed.body.items).to.deep.equal([changed.body]);
    for (const home of ['/campaigns', '/organizations/alpha/campaigns'])
      expect((await member.get<Page<CampaignReply>>(`${home}?limit=1`)).body.items).to.have.length(1);
  });

  it('of another organization are not found, nor are unknown ones, and their jobs take no part', async () => {
    const { campaign_id: id } = await makeCampaign();
    for (const [caller, asked] of [
      [stranger, id],
      [member, NONE],
    ] as const) {
      const replies = [
        await caller.get<Problem>(`/campaigns/${asked}`),
        await caller.patch<Problem>(`/campaigns/${asked}`, { name: 'x' }),
        await caller.get<Problem>(`/campaigns/${asked}/results`),
        await caller.get<Problem>(`/campaigns/${asked}/histogram`),
        await caller.post<Problem>('/jobs', { engine: 'vina', inputs: { a: 1 }, campaign_id: asked }),
        await caller.post<Problem>('/job-batches', {
          engine: 'vina',
          campaign_id: asked,
          items: [{ inputs: { a: 1 } }],
        }),
      ];
      for (const reply of replies) expect(codes(reply)).to.deep.equal([404, 'campaign_not_found']);
    }
    expect((await stranger.get<Page<Job>>(`/jobs?campaign_id=${id}`)).body.items).to.deep.equal([]);
  });

  it('give their jobs what these do not say, one by one and in batches', async () => {
    const { campaign_id: id } = await makeCampaign({
      engine: 'vina',
      inputs: { receptor: 'r', box: { size: 20, center: 1 } },
      params: { exhaustiveness: 8, seed: 1 },
      priority: 9,
    });
    const one = await member.post<Job>('/jobs', {
      engine: 'vina',
      campaign_id: id,
      label: 'one',
      inputs: { ligand: 'a', box: { size: 30 } },
    });
    expect(one.body).to.deep.include({
      campaign_id: id,
      label: 'one',
      priority: 9,
      inputs: { receptor: 'r', ligand: 'a', box: { size: 30 } },
      params: { exhaustiveness: 8, seed: 1 },
    });
    const { body: batch } = await member.post<Batch>('/job-batches', {
      campaign_id: id,
      inputs: { receptor: 'other' },
      params: { seed: 2 },
      items: [
        { label: 'first', inputs: { ligand: 'a' } },
        { inputs: { ligand: 'b' }, params: { seed: 3 } },
      ],
    });
    const [first, second] = await Promise.all(
      batch.items.map(async ({ job_id: jobId }) => (await member.get<Job>(`/jobs/${jobId}`)).body),
    );
    const box = { size: 20, center: 1 };
    expect(first).to.deep.include({
      engine: 'vina',
      campaign_id: id,
      label: 'first',
      priority: 9,
      inputs: { receptor: 'other', ligand: 'a', box },
      params: { exhaustiveness: 8, seed: 2 },
    });
    expect(second).to.deep.include({
      label: null,
      inputs: { receptor: 'other', ligand: 'b', box },
      params: { exhaustiveness: 8, seed: 3 },
    });
    expect((await member.get<CampaignReply>(`/campaigns/${id}`)).body.counts['PENDING']).to.equal(3);
  });

  it('that are archived take no jobs until they are taken back, and replays are still answered', async () => {
    const { campaign_id: id } = await makeCampaign();
    const job = { engine: 'vina', inputs: { n: unique() }, campaign_id: id };
    const batch = { engine: 'vina', campaign_id: id, items: [{ inputs: { n: unique() } }] };
    const key = { 'Idempotency-Key': `archived-${unique()}` };
    const first = await member.post<Job>('/jobs', job, key);
    const firstBatch = await member.post<Batch>('/job-batches', batch, key);
    const { body: failed } = await member.post<Job>('/jobs', { ...job, inputs: { n: unique() } });
    await member.patch(`/jobs/${failed.job_id}`, { status: 'CANCELED' });
    await member.patch(`/campaigns/${id}`, { archived: true });
    for (const reply of [
      await member.post<Problem>(`/jobs/${failed.job_id}/retry`),
      await member.post<Problem>('/jobs', job),
      await member.post<Problem>('/job-batches', batch),
    ])
      expect(codes(reply)).to.deep.equal([409, 'campaign_archived']);
    const replay = await member.post<Job>('/jobs', job, key);
    expect([replay.status, replay.body]).to.deep.equal([200, first.body]);
    const batchReplay = await member.post<Batch>('/job-batches', batch, key);
    expect([batchReplay.status, batchReplay.body]).to.deep.equal([200, firstBatch.body]);
    await member.patch(`/campaigns/${id}`, { archived: false });
    expect((await member.post('/jobs', job)).status).to.equal(201);
    const retried = await member.post<Job>(`/jobs/${failed.job_id}/retry`);
    expect(retried.body).to.include({ retry_of: failed.job_id, campaign_id: id });
  });

  describe('in batches', () => {
    it('submit all items in their order with one entry of the trail, and again with their key', async () => {
      const { campaign_id: id } = await makeCampaign();
      const items = Array.from({ length: 1000 }, (_, index) => ({
        label: `ligand ${index}`,
        inputs: { ligand: `l${index}` },
      }));
      const body = { engine: 'vina', campaign_id: id, priority: 3, inputs: { receptor: unique() }, items };
      const key = { 'Idempotency-Key': `batch-${unique()}` };
      const reply = await member.post<Batch>('/job-batches', body, key);
      expect(reply.status, reply.text.slice(0, 500)).to.equal(201);
      expect(reply.body.campaign_id).to.equal(id);
      expect(reply.body.items.map(({ index }) => index)).to.deep.equal([...items.keys()]);
      const numbers = [0, 17, 999];
      for (const number of numbers) {
        const { body: job } = await member.get<Job>(`/jobs/${reply.body.items[number]?.job_id}`);
        expect(job).to.deep.include({ label: `ligand ${number}`, status: 'PENDING', priority: 3 });
      }
      const ids = reply.body.items.map(({ job_id: jobId }) => jobId);
      expect(new Set(ids).size).to.equal(1000);
      expect(ids, 'which is the order in which they run').to.deep.equal(
        ids.toSorted((one, two) => (one < two ? -1 : 1)),
      );
      const replay = await member.post<Batch>('/job-batches', body, key);
      expect([replay.status, replay.body]).to.deep.equal([200, reply.body]);
      const other = await member.post<Problem>('/job-batches', { ...body, priority: 4 }, key);
      expect(codes(other)).to.deep.equal([409, 'idempotency_key_reused']);
      const entries = await deployment.administer<{ action: string; entity_id: string; details: object }>(
        `select action, entity_id, details from audit_outbox where action like 'job%' and details->>'campaign_id' = $1`,
        [id],
        deployment.databaseName('alpha'),
      );
      expect(entries).to.deep.equal([
        {
          action: 'job_batch.submitted',
          entity_id: reply.body.batch_id,
          details: {
            engine: 'vina',
            jobs: 1000,
            waiting: 1000,
            priority: 3,
            status: 'PENDING',
            campaign_id: id,
          },
        },
      ]);
    });

    it('have the signature that a job of their own would have', async () => {
      const n = unique();
      const alone = await member.post<Job>('/jobs', {
        engine: 'vina',
        inputs: { n, a: [1] },
        params: { b: 2 },
      });
      const { body: batch } = await member.post<Batch>('/job-batches', {
        engine: 'vina',
        params: { b: 2 },
        items: [{ label: 'x', inputs: { a: [1], n } }],
      });
      const { body: job } = await member.get<Job>(`/jobs/${batch.items[0]?.job_id}`);
      expect(job.input_signature).to.equal(alone.body.input_signature);
    });

    it('write nothing when one item is wrong, and name its field', async () => {
      const { campaign_id: id } = await makeCampaign();
      const good = Array.from({ length: 20 }, () => ({ inputs: { ligand: 'a' } as unknown }));
      const wrong: readonly (readonly [string, object])[] = [
        ['items.17.inputs.ligand', { inputs: { ligand: 'a\0b' } }],
        ['items.17.label', { label: 'a\u202eb', inputs: { ligand: 'a' } }],
        ['items.17.label', { label: 'x'.repeat(256), inputs: { ligand: 'a' } }],
        ['items.17.inputs', { inputs: [] }],
        ['items.17.inputs', { label: 'no inputs' }],
        ['items.17.params', { inputs: { ligand: 'a' }, params: 7 }],
        ['items.17.surplus', { inputs: { ligand: 'a' }, surplus: 1 }],
        ['items.17.params.n', { inputs: { ligand: 'a' }, params: { n: 9_007_199_254_740_993n } }],
      ];
      for (const [path, item] of wrong) {
        const items = good.with(17, item as { inputs: unknown });
        const body = JSON.stringify({ engine: 'vina', campaign_id: id, items }, (_name, value: unknown) =>
          typeof value === 'bigint' ? 'BIG' : value,
        ).replace('"BIG"', '9007199254740993');
        const reply = await member.post<Problem>('/job-batches', body);
        expect(codes(reply), path).to.deep.equal([422, 'validation_failed']);
        expect(reply.body.errors?.map((error) => error.path)).to.deep.equal([path]);
      }
      expect(await jobsOf(id)).to.deep.equal([]);
    });

    it('need an engine from somewhere, one item at least and a thousand at most', async () => {
      const item = { inputs: { ligand: 'a' } };
      for (const [path, body] of [
        ['engine', { items: [item] }],
        ['items', { engine: 'vina', items: [] }],
        ['items', { engine: 'vina', items: Array.from({ length: 1001 }, () => item) }],
        ['items', { engine: 'vina' }],
      ] as const) {
        const reply = await member.post<Problem>('/job-batches', body);
        expect(codes(reply)).to.deep.equal([422, 'validation_failed']);
        expect(reply.body.errors?.map((error) => error.path)).to.deep.equal([path]);
      }
    });

    it('are refused when what is merged into each item would make them large', async () => {
      const items = Array.from({ length: 1000 }, (_, n) => ({ inputs: { n } }));
      for (const inputs of [{ text: 'x'.repeat(9000) }, { list: Array.from({ length: 200 }, () => 0) }]) {
        const reply = await member.post<Problem>('/job-batches', { engine: 'vina', inputs, items });
        expect(codes(reply)).to.deep.equal([422, 'validation_failed']);
        expect(reply.body.errors?.map((error) => error.path)).to.deep.equal(['items']);
      }
    });

    it('are answered from the cache where they can be, and each answer counts', async () => {
      const n = unique();
      const { campaign_id: id } = await makeCampaign({ engine: 'vina' });
      const { body: canonical } = await member.post<Job>('/jobs', { engine: 'vina', inputs: { n } });
      await finish(canonical.job_id, [-9, -8], { confidence_score: 0.5 });
      const items = [{ label: 'a', inputs: { n } }, { inputs: { n: -n } }, { label: 'b', inputs: { n } }];
      const plainBatch = await member.post<Batch>('/job-batches', { campaign_id: id, items });
      expect(plainBatch.body.items.map((item) => item.cache_hit)).to.deep.equal([false, false, false]);
      const { body: batch } = await member.post<Batch>('/job-batches?use_cache=true', {
        campaign_id: id,
        items,
      });
      expect(batch.items.map(({ status, cache_hit: hit }) => [status, hit])).to.deep.equal([
        ['COMPLETED', true],
        ['PENDING', false],
        ['COMPLETED', true],
      ]);
      const { body: hit } = await member.get<Job>(`/jobs/${batch.items[0]?.job_id}`);
      expect(hit.cache).to.deep.equal({
        hit: true,
        canonical_job_id: canonical.job_id,
        confidence_score: 0.5,
      });
      const signature = await member.get<{ hit_count: number }>(`/input-signatures/${hit.input_signature}`);
      expect(signature.body.hit_count).to.equal(2);
      const ranked = await member.get<Page<Ranked>>(`/campaigns/${id}/results?sort=label&poses=20`);
      const alone = { engine: 'vina', inputs: { n }, campaign_id: id, label: 'c' };
      expect((await member.post<Job>('/jobs?use_cache=true', alone)).body.cache.hit).to.equal(true);
      const withThird = await member.get<Page<Ranked>>(`/campaigns/${id}/results?sort=label&poses=20`);
      expect(withThird.body.items.slice(0, 2)).to.deep.equal(ranked.body.items);
      expect(withThird.body.items.map(({ label, poses }) => [label, poses.length])).to.deep.equal([
        ['a', 2],
        ['b', 2],
        ['c', 2],
      ]);
    });

    it('leave nothing behind when their connection is lost midway, and their key stays free', async () => {
      const { campaign_id: id } = await makeCampaign({ engine: 'vina' });
      const n = unique();
      const { body: canonical } = await member.post<Job>('/jobs', { engine: 'vina', inputs: { n } });
      await finish(canonical.job_id, [-9]);
      const body = { campaign_id: id, items: [{ inputs: { n } }, { inputs: { n: -n } }] };
      const key = { 'Idempotency-Key': `lost-${n}` };
      // Its last statement is the one that copies the scores of jobs that the cache answers.
      const lock = await lockTable(deployment, deployment.databaseName('alpha'), 'job_scores');
      const post = () => member.post<Batch & Problem>('/job-batches?use_cache=true', body, key);
      const lost = post();
      expect(await lock.terminateWaiting()).to.equal(1);
      await lock.release();
      expect((await lost).body.code).to.equal('database_unavailable');
      expect(await jobsOf(id)).to.deep.equal([]);
      const signature = () =>
        member.get<{ hit_count: number }>(`/input-signatures/${canonical.input_signature}`);
      expect((await signature()).body.hit_count).to.equal(0);
      const again = await post();
      expect([again.status, again.body.items.map((item) => item.cache_hit)]).to.deep.equal([
        201,
        [true, false],
      ]);
      expect((await signature()).body.hit_count).to.equal(1);
      const [entries] = await deployment.administer<{ count: string }>(
        `select count(*) from audit_outbox where action = 'job_batch.submitted' and details->>'campaign_id' = $1`,
        [id],
        deployment.databaseName('alpha'),
      );
      expect(entries?.count).to.equal('1');
    });

    it('sent twice at the same moment under one key make one batch', async () => {
      const { campaign_id: id } = await makeCampaign({ engine: 'vina' });
      const body = { campaign_id: id, items: [{ inputs: { n: unique() } }, { inputs: { n: unique() } }] };
      const key = { 'Idempotency-Key': `race-${unique()}` };
      const replies = await Promise.all(
        Array.from({ length: 6 }, () => member.post<Batch>('/job-batches?use_cache=true', body, key)),
      );
      expect(replies.filter(({ status }) => status === 201)).to.have.length(1);
      expect(replies.filter(({ status }) => status === 200)).to.have.length(5);
      expect(new Set(replies.map(({ text }) => text)).size).to.equal(1);
      expect(await jobsOf(id)).to.have.length(2);
    });
  });

  describe('and labels of jobs', () => {
    it('change neither the signature nor the hash of a request that has none', async () => {
      const inputs = { n: unique() };
      const key = { 'Idempotency-Key': `label-${unique()}` };
      const plain = await member.post<Job>('/jobs', { engine: 'vina', inputs }, key);
      const labeled = await member.post<Job>('/jobs', { engine: 'vina', inputs, label: 'é 😀' });
      expect(labeled.body.label).to.equal('é 😀');
      expect(labeled.body.input_signature).to.equal(plain.body.input_signature);
      const reused = await member.post<Problem>('/jobs', { engine: 'vina', inputs, label: 'x' }, key);
      expect(codes(reused)).to.deep.equal([409, 'idempotency_key_reused']);
      const [row] = await deployment.administer<{ request_hash: string }>(
        'select request_hash from docking_jobs where job_id = $1',
        [plain.body.job_id],
        deployment.databaseName('alpha'),
      );
      const canonical = `{"engine":"vina","inputs":{"n":${inputs.n}},"params":{},"pipeline_version":"1.0.0","priority":0}`;
      expect(row?.request_hash, 'as earlier releases had it').to.equal(
        createHash('sha256').update(canonical).digest('hex'),
      );
    });

    it('find jobs, in summaries that leave the large parts out', async () => {
      const { campaign_id: id } = await makeCampaign();
      const label = `find ${unique()}`;
      const { body: job } = await member.post<Job>('/jobs', {
        engine: 'vina',
        inputs: { text: 'x'.repeat(50_000) },
        label,
        campaign_id: id,
      });
      const { inputs: _inputs, params: _params, ...summary } = job;
      const query = `campaign_id=${id}&label=${encodeURIComponent(label)}&engine=vina&submitted_by=user-1`;
      const found = await member.get<Page<Job>>(`/jobs?view=summary&${query}`);
      expect(found.body.items).to.deep.equal([summary]);
      expect((await member.get<Page<Job>>(`/jobs?view=full&${query}`)).body.items).to.deep.equal([job]);
      const after = encodeURIComponent('2000-01-01T00:00:00+02:00');
      const before = encodeURIComponent('2999-01-01T00:00:00Z');
      const within = `/jobs?${query}&created_after=${after}&created_before=${before}&status=PENDING`;
      expect((await member.get<Page<Job>>(within)).body.items).to.deep.equal([job]);
      expect((await member.get<Page<Job>>(`/jobs?${query}&error_code=no_poses`)).body.items).to.deep.equal(
        [],
      );
    });

    it('are refused where they are no filters', async () => {
      for (const query of [
        'view=all',
        'campaign_id=7',
        'engine=%00',
        `label=${'x'.repeat(256)}`,
        'label=',
        'submitted_by=',
        'error_code=a%20b',
        'created_after=yesterday',
        'created_after=2026-01-01',
        'created_after=0000-01-01T00:00:00Z',
        'created_before=9999-12-31T23:59:59-23:59',
        'created_before=2026-02-30T00:00:00Z',
      ]) {
        const reply = await member.get<Problem>(`/jobs?${query}`);
        expect(codes(reply), query).to.deep.equal([422, 'validation_failed']);
        expect(reply.body.errors?.map(({ path }) => path)).to.deep.equal([query.split('=')[0]]);
      }
    });
  });

  describe('are ranked', () => {
    let id: string;
    const affinities = [-7.5, -9.25, -7.5, -11, -3, -357.833, -8];
    before(async () => {
      ({ campaign_id: id } = await makeCampaign({ engine: 'vina' }));
      const { body } = await member.post<Batch>('/job-batches', {
        campaign_id: id,
        items: affinities.map((_, index) => ({ label: `L${index}`, inputs: { n: unique() } })),
      });
      for (const [index, affinity] of affinities.entries())
        await finish(body.items[index]?.job_id ?? '', [affinity, affinity + 1]);
      await member.post('/jobs', { engine: 'vina', inputs: { n: unique() }, campaign_id: id });
    });
    const results = (query = '', caller = member) =>
      caller.get<Page<Ranked>>(`/campaigns/${id}/results${query}`);

    it('best first, with ranks that go on from page to page', async () => {
      const { body: whole } = await results();
      expect(whole.next_cursor).to.equal(null);
      expect(whole.items.map((item) => [item.rank, item.label])).to.deep.equal([
        [1, 'L3'],
        [2, 'L1'],
        [3, 'L6'],
        ...['L0', 'L2']
          .toSorted((one, other) => {
            const idOf = (label: string) => whole.items.find((item) => item.label === label)?.job_id ?? '';
            return idOf(one) < idOf(other) ? -1 : 1;
          })
          .map((label, index) => [4 + index, label]),
        [6, 'L4'],
      ]);
      for (const suffix of ['', '&order=desc', '&sort=label', '&sort=created_at&include_suspect=true']) {
        const { body: all } = await results(`?limit=200${suffix}`);
        const seen: Ranked[] = [];
        let cursor = '';
        do {
          const { body } = await results(`?limit=2${suffix}${cursor}`);
          seen.push(...body.items);
          cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
        } while (cursor !== '');
        expect(seen).to.deep.equal(all.items);
        expect(seen.map(({ rank }) => rank)).to.deep.equal([...seen.keys()].map((index) => index + 1));
      }
    });

    it('without doubted scores unless they are asked for; the campaign counts them', async () => {
      const { body } = await results('?include_suspect=true&limit=1');
      expect(body.items[0]).to.deep.include({ label: 'L5', suspect: ['out_of_range'], rank: 1 });
      const { body: campaign } = await member.get<CampaignReply>(`/campaigns/${id}`);
      expect([campaign.suspect, campaign.counts['COMPLETED'], campaign.counts['PENDING']]).to.deep.equal([
        1, 7, 1,
      ]);
    });

    it('with as many poses as are asked for', async () => {
      const posesAt = async (query: string) => (await results(query)).body.items[0]?.poses;
      const poses = [
        { rank: 1, affinity_kcal_mol: -11 },
        { rank: 2, affinity_kcal_mol: -10 },
      ];
      expect(await posesAt('')).to.deep.equal(poses.slice(0, 1));
      expect(await posesAt('?poses=20')).to.deep.equal(poses);
    });

    it('and narrowed by affinity and by the beginning of their labels', async () => {
      expect((await results('?max_affinity=-8')).body.items.map(({ label }) => label)).to.deep.equal([
        'L3',
        'L1',
        'L6',
      ]);
      expect((await results('?label_prefix=L1')).body.items.map(({ label }) => label)).to.deep.equal(['L1']);
      expect((await results('?label_prefix=%25')).body.items).to.deep.equal([]);
    });

    it('and counted in bins between round numbers, with the same filters', async () => {
      const histogram = async (query = '') => {
        const reply = await member.get<Histogram>(`/campaigns/${id}/histogram${query}`);
        expect(reply.status, reply.text).to.equal(200);
        return reply.body;
      };
      const whole = await histogram();
      const { body: ranked } = await results('?limit=200');
      expect(whole.counts.length).to.be.within(1, 60);
      expect(whole.edges).to.have.length(whole.counts.length + 1);
      for (const [index, count] of whole.counts.entries()) {
        const [from = 0, to = 0] = whole.edges.slice(index);
        const within = ranked.items.filter(
          ({ best_affinity_kcal_mol: affinity }) => affinity >= from && affinity < to,
        );
        expect(count).to.equal(within.length);
      }
      expect([whole.below, whole.above]).to.deep.equal([0, 0]);
      const total = ({ counts }: Histogram) => counts.reduce((sum, count) => sum + count, 0);
      expect(total(await histogram('?max_affinity=-8'))).to.equal(3);
      const within = await results('?min_affinity=-9&max_affinity=-8');
      expect(total(await histogram('?min_affinity=-9&max_affinity=-8'))).to.equal(within.body.items.length);
      expect(total(await histogram('?label_prefix=L1&bins=2'))).to.equal(1);
      const doubted = await histogram('?include_suspect=true');
      const { body: all } = await results('?include_suspect=true&limit=200');
      expect(total(doubted) + doubted.below + doubted.above).to.equal(all.items.length);
      expect(await histogram('?label_prefix=%25')).to.deep.equal({
        edges: [],
        counts: [],
        below: 0,
        above: 0,
      });
      for (const query of [
        'bins=1',
        'bins=201',
        'bins=x',
        'bins=',
        'max_affinity=NaN',
        'min_affinity=NaN',
        'sort=label',
        'label_prefix=%00',
      ]) {
        const reply = await member.get<Problem>(`/campaigns/${id}/histogram?${query}`);
        expect(codes(reply), query).to.deep.equal([422, 'validation_failed']);
      }
    });

    it('but not by what is no order, and not from a cursor of another order', async () => {
      const { body } = await results('?limit=1');
      const cursor = body.next_cursor ?? '';
      const forged = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url');
      for (const query of [
        `cursor=${cursor}&sort=label`,
        `cursor=${cursor}&order=desc`,
        `cursor=${forged(['affinity', 'asc', 'x', NONE, 1])}`,
        `cursor=${forged(['affinity', 'asc', 1, NONE, -1])}`,
        `cursor=${forged(['label', 'asc', 'a\0', NONE, 1])}&sort=label`,
        `cursor=${forged(['created_at', 'asc', 1e300, NONE, 1])}&sort=created_at`,
        'sort=affinities',
        'order=up',
        'max_affinity=low',
        'min_affinity=low',
        'max_affinity=1e400',
        'max_affinity=NaN',
        'label_prefix=',
        'label_prefix=%00',
        'include_suspect=1',
        'poses=0',
        'poses=21',
        'limit=201',
      ]) {
        const reply = await member.get<Problem>(`/campaigns/${id}/results?${query}`);
        expect(codes(reply), query).to.deep.equal([422, 'validation_failed']);
        expect(reply.body.errors?.map(({ path }) => path)).to.deep.equal([query.split('=')[0]]);
      }
    });
  });

  it('rank what a worker completes under a lease, with the artifact that holds its poses', async () => {
    const engine = `leased-${unique()}`;
    const { campaign_id: id } = await makeCampaign({ engine });
    const n = unique();
    const { body: batch } = await member.post<Batch>('/job-batches', {
      campaign_id: id,
      items: [{ label: 'leased', inputs: { n } }],
    });
    const claim = await worker.post<{ items: readonly { lease: { lease_id: string } }[] }>('/jobs/claim', {
      worker: { name: 'node-1' },
      engines: [engine],
      limit: 1,
    });
    const jobId = batch.items[0]?.job_id ?? '';
    const completed = await worker.post(`/jobs/${jobId}/complete`, {
      lease_id: claim.body.items[0]?.lease.lease_id,
      outcome: 'COMPLETED',
      task_results: [
        {
          task_name: 'docking',
          service_name: 'vina',
          result_data: {},
          poses: [{ rank: 1, affinity_kcal_mol: -9.5 }],
        },
      ],
      artifacts: [{ name: 'out.pdbqt', purpose: 'poses', uri: 's3://bucket/out.pdbqt' }],
    });
    expect(completed.status, completed.text).to.equal(200);
    const artifacts = await member.get<Page<{ artifact_id: string }>>(`/jobs/${jobId}/artifacts`);
    const ranked = await member.get<Page<Ranked>>(`/campaigns/${id}/results`);
    expect(ranked.body.items).to.have.length(1);
    expect(ranked.body.items[0]).to.deep.include({
      job_id: jobId,
      label: 'leased',
      best_affinity_kcal_mol: -9.5,
      artifacts: { poses: artifacts.body.items[0]?.artifact_id },
    });
    const again = await member.post<Batch>('/job-batches?use_cache=true', {
      campaign_id: id,
      items: [{ inputs: { n } }],
    });
    expect(again.body.items[0]?.cache_hit).to.equal(true);
  });

  it('take poses as they are, and refuse those that are none', async () => {
    const { body: job } = await member.post<Job>('/jobs', { engine: 'vina', inputs: { n: unique() } });
    await worker.patch(`/jobs/${job.job_id}`, { status: 'RUNNING' });
    const put = (poses: unknown, rest: object = {}) =>
      worker.put<Problem & { poses: unknown; suspect: unknown }>(`/jobs/${job.job_id}/task-results/docking`, {
        service_name: 'vina',
        result_data: {},
        poses,
        ...rest,
      });
    const full = {
      rank: 1,
      affinity_kcal_mol: -12.5,
      rmsd_lower_bound: 0,
      rmsd_upper_bound: 0.25,
      intra: -1.25,
      unbound: -3,
      reported_affinity_kcal_mol: -11.5,
    };
    const written = await put([{ rank: 2, affinity_kcal_mol: -11 }, full], { suspect: ['no_improvement'] });
    expect(written.body.poses).to.deep.equal([full, { rank: 2, affinity_kcal_mol: -11 }]);
    expect(written.body.suspect).to.have.members(['intra_unbound_mismatch', 'no_improvement']);
    const listed = await member.get<Page<unknown>>(`/jobs/${job.job_id}/task-results`);
    expect(listed.body.items).to.deep.equal([written.body]);
    const one = { rank: 1, affinity_kcal_mol: -7 };
    for (const [path, poses] of [
      ['poses', {}],
      ['poses', [one, one]],
      ['poses', Array.from({ length: 101 }, (_, index) => ({ ...one, rank: index + 1 }))],
      ['poses.0', [7]],
      ['poses.0.rank', [{ ...one, rank: 0 }]],
      ['poses.0.rank', [{ ...one, rank: 101 }]],
      ['poses.0.rank', [{ ...one, rank: 1.5 }]],
      ['poses.0.affinity_kcal_mol', [{ rank: 1 }]],
      ['poses.0.affinity_kcal_mol', [{ rank: 1, affinity_kcal_mol: 'NaN' }]],
      ['poses.0.affinity_kcal_mol', [{ rank: 1, affinity_kcal_mol: null }]],
      ['poses.0.rmsd_lower_bound', [{ ...one, rmsd_lower_bound: -1 }]],
      ['poses.0.reported_affinity_kcal_mol', [{ ...one, reported_affinity_kcal_mol: null }]],
      ['poses.0.surplus', [{ ...one, surplus: 1 }]],
    ] as const) {
      const reply = await put(poses);
      expect(codes(reply), path).to.deep.equal([422, 'validation_failed']);
      const paths = reply.body.errors?.map((error) => error.path) ?? [];
      expect(
        paths.every((each) => each.startsWith(path)),
        `${path}: ${paths.join()}`,
      ).to.equal(true);
    }
    const infinite = await worker.put<Problem>(
      `/jobs/${job.job_id}/task-results/docking`,
      '{"service_name":"vina","result_data":{},"poses":[{"rank":1,"affinity_kcal_mol":1e999}]}',
    );
    expect(codes(infinite)).to.deep.equal([422, 'validation_failed']);
  });

  describe('and the cache', () => {
    const submit = async (inputs: object, query = '') =>
      (await member.post<Job>(`/jobs${query}`, { engine: 'vina', inputs })).body;

    it('do not answer with a doubted result', async () => {
      const inputs = { n: unique() };
      await finish((await submit(inputs)).job_id, [-300]);
      expect((await submit(inputs, '?use_cache=true')).cache.hit).to.equal(false);
    });

    it('keep a pinned job, forget an invalidated one, and leave both to administrators', async () => {
      const inputs = { n: unique() };
      const first = await submit(inputs);
      const path = `/organizations/alpha/input-signatures/${first.input_signature}`;
      const pin = (caller: Caller) => caller.post<Problem & { pinned: boolean }>(`${path}/pin`);
      const remove = (rest: string) =>
        service.call<Problem & { pinned: boolean }>('DELETE', `${path}${rest}`, {
          token: deployment.token('alpha', ['org_admin']),
        });
      for (const reply of [await pin(administrator), await remove('/pin'), await remove('')])
        expect(codes(reply)).to.deep.equal([404, 'signature_not_found']);
      await finish(first.job_id, [-7]);
      expect(codes(await pin(member))).to.deep.equal([403, 'role_required']);
      expect((await pin(administrator)).body).to.deep.include({ pinned: true });
      await finish((await submit(inputs)).job_id, [-9]);
      expect((await submit(inputs, '?use_cache=true')).cache.canonical_job_id).to.equal(first.job_id);
      expect((await remove('/pin')).body.pinned).to.equal(false);
      const third = await submit(inputs);
      await finish(third.job_id, [-9]);
      expect((await submit(inputs, '?use_cache=true')).cache.canonical_job_id).to.equal(third.job_id);
      expect((await remove('')).status).to.equal(204);
      expect(codes(await remove(''))).to.deep.equal([404, 'signature_not_found']);
      expect((await submit(inputs, '?use_cache=true')).cache.hit).to.equal(false);
      const foreign = await stranger.post<Problem>(`/input-signatures/${first.input_signature}/pin`);
      expect(codes(foreign)).to.deep.equal([404, 'signature_not_found']);
      const actions = await deployment.administer<{ action: string }>(
        `select action from audit_outbox where entity_type = 'input_signature' and entity_id = $1 order by position`,
        [first.input_signature],
        deployment.databaseName('alpha'),
      );
      expect(actions.map(({ action }) => action)).to.deep.equal([
        'input_signature.pinned',
        'input_signature.unpinned',
        'input_signature.invalidated',
      ]);
    });
  });
});

describe('The quota of waiting jobs over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha']);
    await deployment.register('alpha');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  it('refuses jobs and whole batches beyond it, and none that the cache answers', async () => {
    const administrator = service.as(deployment.token('alpha', ['org_admin', 'member', 'worker']));
    const post = (n: number, query = '') =>
      administrator.post<Job & Problem>(`/jobs${query}`, { engine: 'vina', inputs: { n } });
    const batch = (numbers: readonly number[], query = '') =>
      administrator.post<Batch & Problem>(`/job-batches${query}`, {
        engine: 'vina',
        items: numbers.map((n) => ({ inputs: { n } })),
      });
    const { body: canonical } = await post(0);
    await administrator.patch(`/jobs/${canonical.job_id}`, { status: 'RUNNING' });
    await administrator.put(`/jobs/${canonical.job_id}/task-results/t`, {
      service_name: 'v',
      result_data: {},
    });
    await administrator.patch(`/jobs/${canonical.job_id}`, { status: 'COMPLETED' });
    const settings = await administrator.put('/organizations/alpha/settings', {
      settings: { max_pending_jobs: 3 },
    });
    expect(settings.status, settings.text).to.equal(200);
    const { policies } = service.container.get(TOKENS.httpDependencies);
    await until(
      'the service has heard of the quota',
      () => policies.policyOf(organizationId('alpha')).maxPendingJobs === 3,
    );

    expect((await batch([1, 2])).status).to.equal(201);
    const refused = [await batch([3, 4]), await batch([0, 3, 4], '?use_cache=true')];
    for (const { status, body, headers } of refused) {
      expect([status, body.code]).to.deep.equal([429, 'quota_exceeded']);
      expect(headers['retry-after']).to.match(/^\d+$/);
    }
    expect((await post(3)).status).to.equal(201);
    for (const query of ['', '?use_cache=true'])
      expect((await post(4, query)).body.code).to.equal('quota_exceeded');
    expect((await batch([0, 0], '?use_cache=true')).status).to.equal(201);
    expect((await post(0, '?use_cache=true')).status).to.equal(201);
    const waiting = async () => (await administrator.get<Page<Job>>('/jobs?status=PENDING')).body.items;
    const ids = (await waiting()).map(({ job_id: id }) => id);
    expect(ids).to.have.length(3);

    await administrator.post('/jobs/cancel', { job_ids: ids });
    const replies = await Promise.all(
      Array.from({ length: 6 }, (_, n) => [batch([n + 10, n + 20]), post(n + 30)]).flat(),
    );
    expect(replies.map(({ status }) => status)).to.include.members([201, 429]);
    expect(await waiting()).to.have.length(3);
  });
});
