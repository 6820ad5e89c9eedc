import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { Campaign, CampaignKey } from '../../domain/campaigns/campaign.ts';
import type { DockingJob } from '../../domain/jobs/docking-job.ts';
import type { NewDockingJob } from '../../domain/jobs/docking-job-repository.ts';
import type { BatchedJob, NewJobBatch } from '../../domain/jobs/job-batch.ts';
import type { RankedJob, RankingKey, RankingRequest } from '../../domain/jobs/ranking.ts';
import { scoreOf, type Pose, type SuspectReason } from '../../domain/jobs/score.ts';
import { rejectionOf } from '../support/gate.ts';
import { sampleJob, sampleNote, sampleResult } from '../support/sample-job.ts';
import { RESULTS, type Subject } from './subjects.ts';

const NOTE = sampleNote('tested');
const NONE = '00000000-0000-4000-8000-000000000000';
const FILE = `sha256:${'0f'.repeat(32)}`;

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const signature = (): string => randomBytes(32).toString('hex');

const pose = (rank: number, affinity: number, rest: Partial<Pose> = {}): Pose => ({
  rank,
  affinity,
  rmsdLowerBound: null,
  rmsdUpperBound: null,
  reportedAffinity: null,
  intra: null,
  unbound: null,
  ...rest,
});

const keepsCampaigns = (subject: Subject<ResultsDatabase>): void => {
  let database: ResultsDatabase;

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    database = await subject.empty();
  });

  const makeCampaign = (name = 'Kinases', rest: { inputs?: object; engine?: string } = {}) =>
    database.campaigns.insert({
      campaignId: randomUUID(),
      name,
      description: null,
      engine: rest.engine ?? null,
      inputs: { ...rest.inputs },
      params: {},
      priority: null,
      createdBy: 'user-1',
      note: NOTE,
    });
  const insertJob = async (overrides: Partial<NewDockingJob> = {}): Promise<DockingJob> => {
    const job = await database.jobs.insert(sampleJob(overrides));
    if (job === null) throw new Error('the job was refused');
    return job;
  };
  const complete = async (
    job: DockingJob,
    poses: readonly Pose[],
    reported: readonly SuspectReason[] = [],
  ): Promise<void> => {
    await database.taskResults.put(sampleResult(job.jobId, { poses, score: scoreOf(poses, reported) }));
    await database.jobs.setStatus(job.jobId, 'COMPLETED', null, NOTE);
    await database.inputSignatures.canonize([job]);
  };
  const ranking = (campaign: Campaign, overrides: Partial<RankingRequest> = {}): RankingRequest => ({
    campaignId: campaign.campaignId,
    sort: 'affinity',
    order: 'asc',
    minAffinity: null,
    maxAffinity: null,
    labelPrefix: null,
    includesSuspect: false,
    poses: 1,
    ...overrides,
  });
  const rankAll = async (request: RankingRequest, limit = 1000): Promise<readonly RankedJob[]> => {
    const seen: RankedJob[] = [];
    let after: RankingKey | null = null;
    do {
      const page: { items: readonly RankedJob[]; next: RankingKey | null } = await database.scores.rank(
        request,
        {
          limit,
          after,
        },
      );
      expect(page.items.length).to.be.at.most(limit);
      seen.push(...page.items);
      after = page.next;
    } while (after !== null);
    return seen;
  };

  describe('campaigns', () => {
    it('come back as they were put in, and without an end', async () => {
      const made = await makeCampaign(`o'neil $1 ?`, { inputs: { receptor: 'r' }, engine: 'vina' });
      expect(plain(made)).to.deep.include({
        name: `o'neil $1 ?`,
        description: null,
        engine: 'vina',
        inputs: { receptor: 'r' },
        params: {},
        priority: null,
        createdBy: 'user-1',
        archivedAt: null,
      });
      expect(plain(await database.campaigns.find(made.campaignId))).to.deep.equal(plain(made));
      expect(await database.campaigns.find(NONE)).to.equal(null);
    });

    it('are listed newest first, archived ones or the others, page by page', async () => {
      const made: Campaign[] = [];
      for (const name of ['a', 'b', 'c', 'd']) made.push(await makeCampaign(name));
      await database.campaigns.change(made[1]?.campaignId ?? '', { archived: true }, NOTE);
      const newestFirst = made.toSorted(
        (one, other) =>
          other.createdAt.getTime() - one.createdAt.getTime() || (other.campaignId < one.campaignId ? -1 : 1),
      );
      const names = async (archived: boolean | null) => {
        const seen: string[] = [];
        let after: CampaignKey | null = null;
        do {
          const page: { items: readonly Campaign[]; next: CampaignKey | null } =
            await database.campaigns.list({ archived }, { limit: 2, after });
          seen.push(...page.items.map(({ name }) => name));
          after = page.next;
        } while (after !== null);
        return seen;
      };
      const all = newestFirst.map(({ name }) => name);
      expect(await names(null)).to.deep.equal(all);
      expect(await names(true)).to.deep.equal(['b']);
      expect(await names(false)).to.deep.equal(all.filter((name) => name !== 'b'));
    });

    it('are changed field by field, and keep the time at which they were archived', async () => {
      const { campaignId } = await makeCampaign();
      const archived = await database.campaigns.change(campaignId, { archived: true }, NOTE);
      expect(archived?.archivedAt).to.be.instanceOf(Date);
      const renamed = await database.campaigns.change(campaignId, { name: 'Other', archived: true }, NOTE);
      expect(renamed).to.deep.include({ name: 'Other', archivedAt: archived?.archivedAt });
      const back = await database.campaigns.change(campaignId, { archived: false }, NOTE);
      expect(back).to.deep.include({ name: 'Other', archivedAt: null });
      expect(await database.campaigns.change(NONE, { name: 'x' }, NOTE)).to.equal(null);
    });

    it('count their own jobs by status, and those with doubted scores', async () => {
      const campaign = await makeCampaign();
      const { campaignId } = campaign;
      await insertJob({ campaignId: (await makeCampaign('another')).campaignId });
      await insertJob({ campaignId });
      await complete(await insertJob({ campaignId }), [pose(1, -7)]);
      await complete(await insertJob({ campaignId }), [pose(1, -357)]);
      expect(await database.campaigns.count(campaignId)).to.deep.equal({
        byStatus: { PENDING: 1, RUNNING: 0, COMPLETED: 2, FAILED: 0, CANCELED: 0 },
        suspect: 1,
      });
    });
  });

  describe('jobs', () => {
    it('are found by what they have, alone and together, with their large parts or without', async () => {
      const { campaignId } = await makeCampaign();
      const label = `ä $1 % _ '`;
      const one = await insertJob({ campaignId, label, engine: 'vina', submittedBy: 'ada' });
      const other = await insertJob({ engine: 'gnina', submittedBy: 'eve' });
      const failed = await insertJob({ campaignId });
      await database.jobs.setStatus(failed.jobId, 'FAILED', 'boom', NOTE);
      const found = async (filter: Parameters<typeof database.jobs.list>[0]) => {
        const page = { limit: 10, after: null };
        const full = await database.jobs.list(filter, page);
        const summaries = await database.jobs.listSummaries(filter, page);
        expect(plain(summaries.items)).to.deep.equal(
          full.items.map(({ inputs: _inputs, params: _params, ...summary }) => plain(summary)),
        );
        return full.items.map(({ jobId }) => jobId).toSorted();
      };
      const ids = (...jobs: readonly DockingJob[]) => jobs.map(({ jobId }) => jobId).toSorted();
      expect(await found({})).to.deep.equal(ids(one, other, failed));
      expect(await found({ campaignId })).to.deep.equal(ids(one, failed));
      expect(await found({ campaignId, status: 'FAILED' })).to.deep.equal(ids(failed));
      expect(await found({ label })).to.deep.equal(ids(one));
      expect(await found({ engine: 'gnina' })).to.deep.equal(ids(other));
      expect(await found({ submittedBy: 'ada', engine: 'vina', label, campaignId })).to.deep.equal(ids(one));
      expect(await found({ errorCode: 'no_poses' })).to.deep.equal([]);
      expect(await found({ campaignId: NONE })).to.deep.equal([]);
      const before = new Date(one.createdAt.getTime() - 1);
      const after = new Date(failed.createdAt.getTime() + 60_000);
      expect(await found({ createdAfter: before, createdBefore: after })).to.deep.equal(
        ids(one, other, failed),
      );
      expect(await found({ createdAfter: after })).to.deep.equal([]);
      expect(await found({ createdBefore: before })).to.deep.equal([]);
      expect(await found({ createdAfter: failed.createdAt, submittedBy: 'nobody' })).to.deep.equal([]);
    });

    it('of a filter are given once each, page by page', async () => {
      const { campaignId } = await makeCampaign();
      for (let index = 0; index < 7; index += 1) await insertJob({ campaignId, label: `l${index % 2}` });
      const seen: string[] = [];
      let after: { createdAt: Date; jobId: string } | null = null;
      do {
        const page: Awaited<ReturnType<typeof database.jobs.listSummaries>> =
          await database.jobs.listSummaries({ campaignId, label: 'l0' }, { limit: 3, after });
        seen.push(...page.items.map(({ jobId }) => jobId));
        after = page.next;
      } while (after !== null);
      expect(new Set(seen).size).to.equal(4);
      expect(seen).to.have.length(4);
    });

    it('that wait are counted up to a number', async () => {
      for (let index = 0; index < 3; index += 1) await insertJob();
      await database.jobs.setStatus((await insertJob()).jobId, 'CANCELED', null, NOTE);
      expect([await database.jobs.countPending(2), await database.jobs.countPending(9)]).to.deep.equal([
        2, 3,
      ]);
    });
  });

  describe('batches', () => {
    const batchOf = (jobs: readonly BatchedJob[], overrides: Partial<NewJobBatch> = {}): NewJobBatch => ({
      batchId: randomUUID(),
      campaignId: null,
      jobs,
      idempotency: null,
      note: sampleNote('job_batch.submitted'),
      ...overrides,
    });
    const itemJob = (overrides: Partial<BatchedJob> = {}): BatchedJob => {
      const { idempotency: _idempotency, note: _note, retryOf: _retryOf, ...job } = sampleJob();
      return { ...job, ...overrides };
    };

    it('write all their jobs, each as it is', async () => {
      const { campaignId } = await makeCampaign();
      const canonical = await insertJob();
      const cache = { hit: true, canonicalJobId: canonical.jobId, confidenceScore: 0.5 };
      const jobs = [
        itemJob({ campaignId, label: 'a', inputs: { 'a $1': '日本 😀' } }),
        itemJob({ campaignId, label: null, status: 'COMPLETED', cache }),
      ];
      expect(await database.batches.insert(batchOf(jobs, { campaignId }))).to.equal(true);
      const [first, second] = await Promise.all(jobs.map(({ jobId }) => database.jobs.find(jobId)));
      expect(plain(first)).to.deep.include({
        status: 'PENDING',
        campaignId,
        label: 'a',
        inputs: { 'a $1': '日本 😀' },
        completedAt: null,
        retryOf: null,
      });
      expect(second).to.deep.include({ status: 'COMPLETED', cache, label: null });
      expect(second?.completedAt).to.deep.equal(second?.createdAt);
    });

    it('with the same idempotency key: one of many is written, and found with its jobs in their order', async () => {
      const idempotency = { key: 'k $1', requestHash: 'f'.repeat(64) };
      const batches = Array.from({ length: 5 }, () =>
        batchOf([itemJob(), itemJob(), itemJob()], { idempotency }),
      );
      const written = await Promise.all(
        batches.map((batch) => database.transaction((repositories) => repositories.batches.insert(batch))),
      );
      expect(written.filter(Boolean)).to.have.length(1);
      const winner = batches[written.indexOf(true)];
      const found = await database.batches.findByIdempotencyKey(idempotency.key);
      expect(found?.requestHash).to.equal(idempotency.requestHash);
      expect(found?.batch).to.deep.equal({
        batchId: winner?.batchId,
        campaignId: null,
        items: winner?.jobs.map(({ jobId }) => ({ jobId, status: 'PENDING', cacheHit: false })),
      });
      expect((await database.jobs.list({}, { limit: 100, after: null })).items).to.have.length(3);
      expect(await database.batches.findByIdempotencyKey('another')).to.equal(null);
    });
  });

  describe('poses', () => {
    it('come back with their task result as they were sent', async () => {
      const job = await insertJob();
      const poses = [
        pose(1, -12.5, {
          rmsdLowerBound: 0,
          rmsdUpperBound: 0,
          intra: -1.25,
          unbound: -1.25,
          reportedAffinity: -13.5,
        }),
        pose(2, 5e-324),
      ];
      const { result } = await database.taskResults.put(
        sampleResult(job.jobId, { poses, score: scoreOf(poses, ['no_improvement']) }),
      );
      expect(JSON.stringify(result.poses)).to.equal(
        '[{"rank":1,"affinity_kcal_mol":-12.5,"rmsd_lower_bound":0,"rmsd_upper_bound":0,"intra":-1.25,"unbound":-1.25,"reported_affinity_kcal_mol":-13.5},' +
          '{"rank":2,"affinity_kcal_mol":5e-324}]',
      );
      expect(result.suspect).to.deep.equal(['no_improvement']);
      const { items } = await database.taskResults.listByJob(job.jobId, { limit: 10, after: null });
      expect(plain(items)).to.deep.equal(plain([result]));
      const again = await database.taskResults.put(sampleResult(job.jobId));
      expect(plain([again.result.poses, again.result.suspect])).to.deep.equal([[], []]);
    });
  });

  describe('a ranking', () => {
    it('has completed jobs of the campaign, best first, of equal ones each once on pages of any size', async () => {
      const campaign = await makeCampaign();
      const other = await makeCampaign('another');
      const { campaignId } = campaign;
      const affinities = [-7, -9.5, -7, -8.25, -7, -3, -9.5];
      for (const affinity of affinities) await complete(await insertJob({ campaignId }), [pose(1, affinity)]);
      await complete(await insertJob({ campaignId: other.campaignId }), [pose(1, -20)]);
      await complete(await insertJob(), [pose(1, -20)]);
      const failed = await insertJob({ campaignId });
      await database.taskResults.put(
        sampleResult(failed.jobId, { poses: [pose(1, -20)], score: scoreOf([pose(1, -20)], []) }),
      );
      await database.jobs.setStatus(failed.jobId, 'FAILED', null, NOTE);
      const whole = await rankAll(ranking(campaign));
      expect(whole.map(({ bestAffinity }) => bestAffinity)).to.deep.equal([
        -9.5, -9.5, -8.25, -7, -7, -7, -3,
      ]);
      for (const limit of [1, 2, 3]) {
        expect(await rankAll(ranking(campaign), limit)).to.deep.equal(whole);
        const reversed = await rankAll(ranking(campaign, { order: 'desc' }), limit);
        expect(reversed).to.deep.equal(whole.toReversed());
      }
    });

    it('shows the label, the ligand, the poses and where they are', async () => {
      const campaign = await makeCampaign();
      const ligand = { file: FILE, name: '受体 (final) v2.pdbqt' };
      const job = await insertJob({ campaignId: campaign.campaignId, label: 'imatinib', inputs: { ligand } });
      const { artifactId } = await database.artifacts.insert({
        jobId: job.jobId,
        name: 'out.pdbqt',
        purpose: 'poses',
        uri: 's3://x',
        contentType: null,
        sha256: null,
        sizeBytes: null,
        checksum: null,
        leaseId: null,
        note: NOTE,
      });
      const poses = [pose(1, -9), pose(2, -8.5, { rmsdLowerBound: 1 }), pose(3, -8)];
      await complete(job, poses);
      const [ranked] = await rankAll(ranking(campaign));
      expect(plain(ranked)).to.deep.equal({
        jobId: job.jobId,
        label: 'imatinib',
        bestAffinity: -9,
        poseCount: 3,
        suspect: [],
        ligand,
        poses: [{ rank: 1, affinity_kcal_mol: -9 }],
        posesArtifactId: artifactId,
        createdAt: plain(job.createdAt),
      });
      const [more] = await rankAll(ranking(campaign, { poses: 2 }));
      expect(plain(more?.poses)).to.deep.equal([
        { rank: 1, affinity_kcal_mol: -9 },
        { rank: 2, affinity_kcal_mol: -8.5, rmsd_lower_bound: 1 },
      ]);
    });

    it('has no ligand where the input is no stored file', async () => {
      const campaign = await makeCampaign();
      const { campaignId } = campaign;
      for (const ligand of ['CCO', { file: 'x', name: 'y' }, { name: 'y' }, [FILE], { file: FILE, name: 7 }])
        await complete(await insertJob({ campaignId, inputs: { ligand } }), [pose(1, -7)]);
      const ligands = (await rankAll(ranking(campaign, { sort: 'created_at' }))).map(({ ligand }) => ligand);
      expect(ligands.filter((ligand) => ligand !== null)).to.deep.equal([{ file: FILE, name: null }]);
    });

    it('leaves doubted scores aside, unless they are asked for, and then shows why', async () => {
      const campaign = await makeCampaign();
      const { campaignId } = campaign;
      for (const [affinity, reported] of [
        [-7, []],
        [-357.833, []],
        [-8, ['fewer_atoms_than_input']],
        [4, []],
        [-6, []],
      ] as const)
        await complete(await insertJob({ campaignId }), [pose(1, affinity)], reported);
      const shown = async (includesSuspect: boolean, order: 'asc' | 'desc' = 'asc') =>
        (await rankAll(ranking(campaign, { includesSuspect, order }), 2)).map(({ bestAffinity, suspect }) => [
          bestAffinity,
          ...suspect,
        ]);
      expect(await shown(false)).to.deep.equal([[-7], [-6]]);
      const all = [
        [-357.833, 'out_of_range'],
        [-8, 'fewer_atoms_than_input'],
        [-7],
        [-6],
        [4, 'out_of_range'],
      ];
      expect(await shown(true)).to.deep.equal(all);
      expect(await shown(true, 'desc')).to.deep.equal(all.toReversed());
    });

    it('is sorted by label or by time, and narrowed by affinity and prefix', async () => {
      const campaign = await makeCampaign();
      const { campaignId } = campaign;
      const labels = ['b%2', 'a_1', null, 'B1', 'b%1', 'bx'];
      for (const [index, label] of labels.entries())
        await complete(await insertJob({ campaignId, label }), [pose(1, -10 + index)]);
      const labelsOf = async (overrides: Partial<RankingRequest>) =>
        (await rankAll(ranking(campaign, overrides), 2)).map(({ label }) => label);
      expect(await labelsOf({ sort: 'label' })).to.deep.equal([null, 'B1', 'a_1', 'b%1', 'b%2', 'bx']);
      expect(await labelsOf({ sort: 'label', order: 'desc' })).to.deep.equal([
        'bx',
        'b%2',
        'b%1',
        'a_1',
        'B1',
        null,
      ]);
      expect(new Set(await labelsOf({ sort: 'created_at' }))).to.deep.equal(new Set(labels));
      expect(await labelsOf({ labelPrefix: 'b%' })).to.deep.equal(['b%2', 'b%1']);
      expect(await labelsOf({ labelPrefix: 'b', sort: 'label', includesSuspect: true })).to.deep.equal([
        'b%1',
        'b%2',
        'bx',
      ]);
      expect(await labelsOf({ maxAffinity: -8 })).to.deep.equal(['b%2', 'a_1', null]);
      expect(await labelsOf({ minAffinity: -8 })).to.deep.equal([null, 'B1', 'b%1', 'bx']);
      expect(await labelsOf({ minAffinity: -9, maxAffinity: -8 })).to.deep.equal(['a_1', null]);
      expect(await labelsOf({ maxAffinity: -8, order: 'desc', labelPrefix: 'a' })).to.deep.equal(['a_1']);
    });

    it('is counted in bins, with the same filters', async () => {
      const campaign = await makeCampaign();
      const other = await makeCampaign('another');
      const { campaignId } = campaign;
      // -7.3 and -7 are edges: what scores so belongs to the bin above.
      for (const [affinity, label] of [
        [-9.95, 'b%1'],
        [-7.3, 'b%2'],
        [-7.3, 'c'],
        [-7, 'b%3'],
        [-6.999, null],
        [-357.833, 'b%4'],
      ] as const)
        await complete(await insertJob({ campaignId, label }), [pose(1, affinity)]);
      await complete(await insertJob({ campaignId: other.campaignId }), [pose(1, -7.1)]);
      const filter = (overrides: Partial<RankingRequest> = {}) => ranking(campaign, overrides);
      const edges = [-9, -7.3, -7, -6.5];
      const { scores } = database;
      expect(await scores.range(filter())).to.deep.equal({ lowest: -9.95, highest: -6.999 });
      expect(await scores.countBetween(filter(), edges)).to.deep.equal({
        counts: [0, 2, 2],
        below: 1,
        above: 0,
      });
      expect(await scores.countBetween(filter(), [-9, -7])).to.deep.equal({
        counts: [2],
        below: 1,
        above: 2,
      });
      for (const [overrides, lowest, highest, counts, below] of [
        [{ includesSuspect: true }, -357.833, -6.999, [0, 2, 2], 2],
        [{ maxAffinity: -7 }, -9.95, -7, [0, 2, 1], 1],
        [{ minAffinity: -7.3 }, -7.3, -6.999, [0, 2, 2], 0],
        [{ labelPrefix: 'b%' }, -9.95, -7, [0, 1, 1], 1],
        [{ labelPrefix: 'b%', maxAffinity: -7.2, includesSuspect: true }, -357.833, -7.3, [0, 1, 0], 2],
      ] as const) {
        expect(await scores.range(filter(overrides))).to.deep.equal({ lowest, highest });
        expect(await scores.countBetween(filter(overrides), edges)).to.deep.equal({
          counts,
          below,
          above: 0,
        });
      }
      expect(await scores.range(filter({ maxAffinity: -500 }))).to.equal(null);
      expect(await scores.range({ ...filter(), campaignId: NONE })).to.equal(null);
    });

    it('has a job that the cache answered, by its own label and campaign', async () => {
      const campaign = await makeCampaign();
      const canonical = await insertJob({ label: 'first', inputs: { ligand: { file: FILE, name: 'a' } } });
      await complete(canonical, [pose(1, -9), pose(2, -8)]);
      const cache = { hit: true, canonicalJobId: canonical.jobId, confidenceScore: null };
      const { campaignId } = campaign;
      const inputs = { ligand: { file: FILE, name: 'b' } };
      const hit = await insertJob({ status: 'COMPLETED', cache, campaignId, label: 'second', inputs });
      await database.scores.copy([hit.jobId]);
      const ranked = await rankAll(ranking(campaign, { poses: 5 }));
      expect(plain(ranked)).to.deep.equal([
        {
          jobId: hit.jobId,
          label: 'second',
          bestAffinity: -9,
          poseCount: 2,
          suspect: [],
          ligand: { file: FILE, name: 'b' },
          poses: [
            { rank: 1, affinity_kcal_mol: -9 },
            { rank: 2, affinity_kcal_mol: -8 },
          ],
          posesArtifactId: null,
          createdAt: plain(hit.createdAt),
        },
      ]);
    });
  });

  describe('the cache', () => {
    it('does not take a job with a doubted result, and keeps the one that it has', async () => {
      const inputSignature = signature();
      await complete(await insertJob({ inputSignature }), [pose(1, -357)]);
      expect(await database.inputSignatures.find(inputSignature)).to.equal(null);
      const good = await insertJob({ inputSignature });
      await complete(good, [pose(1, -7)]);
      await complete(await insertJob({ inputSignature }), [pose(1, 3)]);
      expect((await database.inputSignatures.find(inputSignature))?.canonicalJobId).to.equal(good.jobId);
    });

    it('keeps the job of a pinned signature, until it is unpinned', async () => {
      const inputSignature = signature();
      const [first, second, third] = [
        await insertJob({ inputSignature }),
        await insertJob({ inputSignature }),
        await insertJob({ inputSignature }),
      ];
      expect(await database.inputSignatures.pin(inputSignature, NOTE), 'nothing to pin').to.equal(null);
      await complete(first, [pose(1, -7)]);
      const pinned = await database.inputSignatures.pin(inputSignature, NOTE);
      expect(pinned).to.include({ canonicalJobId: first.jobId, pinned: true });
      await complete(second, [pose(1, -8)]);
      expect(await database.inputSignatures.find(inputSignature)).to.include({ canonicalJobId: first.jobId });
      expect(await database.inputSignatures.unpin(inputSignature, NOTE)).to.include({ pinned: false });
      await complete(third, [pose(1, -9)]);
      expect(await database.inputSignatures.find(inputSignature)).to.include({ canonicalJobId: third.jobId });
    });

    it('forgets a signature that is invalidated, until another job completes with it', async () => {
      const inputSignature = signature();
      await complete(await insertJob({ inputSignature }), [pose(1, -7)]);
      await database.inputSignatures.pin(inputSignature, NOTE);
      expect(await database.inputSignatures.invalidate(inputSignature, NOTE)).not.to.equal(null);
      expect(await database.inputSignatures.find(inputSignature)).to.equal(null);
      expect(await database.inputSignatures.use(inputSignature)).to.equal(null);
      expect(await database.inputSignatures.invalidate(inputSignature, NOTE)).to.equal(null);
      const second = await insertJob({ inputSignature });
      await complete(second, [pose(1, -8)]);
      const found = await database.inputSignatures.find(inputSignature);
      expect(found).to.include({ canonicalJobId: second.jobId, pinned: false, hitCount: 0 });
    });

    it('counts the uses of many signatures in one step, and knows only those that are there', async () => {
      const [known, unknown] = [signature(), signature()];
      const job = await insertJob({ inputSignature: known });
      await complete(job, [pose(1, -7)]);
      const uses = new Map([
        [known, 3],
        [unknown, 2],
      ]);
      const entries = await database.inputSignatures.useAll(uses);
      expect([...entries.keys()]).to.deep.equal([known]);
      expect(entries.get(known)).to.include({ canonicalJobId: job.jobId, hitCount: 3 });
      expect((await database.inputSignatures.find(known))?.hitCount).to.equal(3);
    });

    it('counts no use of a transaction that was rolled back', async () => {
      const known = signature();
      await complete(await insertJob({ inputSignature: known }), [pose(1, -7)]);
      await rejectionOf(
        database.transaction(async ({ inputSignatures }) => {
          await inputSignatures.useAll(new Map([[known, 1]]));
          throw new Error('changed my mind');
        }),
      );
      expect((await database.inputSignatures.find(known))?.hitCount).to.equal(0);
    });
  });
};

for (const subject of RESULTS) {
  describe(`an organization's campaigns ${subject.name}`, function () {
    this.timeout(60_000);
    keepsCampaigns(subject);
  });
}
