import { expect } from 'chai';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { NewFile } from '../../domain/files/file-repository.ts';
import type { FileKey, StoredFile } from '../../domain/files/stored-file.ts';
import type { Artifact } from '../../domain/jobs/artifact.ts';
import { sha256Of } from '../support/fetch-bytes.ts';
import { sampleJob, sampleNote } from '../support/sample-job.ts';
import { RESULTS, type Subject } from './subjects.ts';

const NOTE = sampleNote('file.added');
const HOUR_MS = 3_600_000;
const UPLOAD_ID = '00000000-0000-4000-8000-000000000001';

const sampleFile = (text: string, overrides: Partial<NewFile> = {}): NewFile => ({
  sha256: sha256Of(text),
  sizeBytes: text.length,
  mediaType: 'text/plain',
  name: `${text}.txt`,
  inspection: null,
  createdBy: 'user-1',
  ...overrides,
});

const keepsFiles = (subject: Subject<ResultsDatabase>): void => {
  let database: ResultsDatabase;

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    database = await subject.empty();
  });

  const store = async (text: string, overrides: Partial<NewFile> = {}): Promise<StoredFile> => {
    const file = sampleFile(text, overrides);
    expect(await database.files.announce(file)).to.equal(null);
    return database.files.settle(file.sha256, NOTE);
  };
  const addArtifact = async (sha256: string | null): Promise<Artifact> => {
    const job = await database.jobs.insert(sampleJob());
    return database.artifacts.insert({
      jobId: job?.jobId ?? '',
      leaseId: null,
      name: 'poses',
      purpose: 'poses',
      uri: `mad:sha256:${sha256}`,
      sha256,
      contentType: null,
      sizeBytes: 5,
      checksum: null,
      note: NOTE,
    });
  };
  const mark = (before: Date, limit = 10): Promise<readonly string[]> =>
    database.transaction(({ files }) => files.markUnreferenced(before, limit));
  const later = (): Date => new Date(Date.now() + HOUR_MS);

  it('do not exist before their bytes are in place', async () => {
    const file = sampleFile('one');
    expect(await database.files.announce(file)).to.equal(null);
    expect(await database.files.announce(file)).to.equal(null);
    expect(await database.files.find(file.sha256)).to.equal(null);
    expect([...(await database.files.hold([file.sha256])).keys()]).to.deep.equal([]);
    expect((await database.files.list({ limit: 10, after: null })).items).to.deep.equal([]);
    // Their room is taken.
    expect(await database.files.totalBytes(null)).to.equal(3);
    const settled = await database.files.settle(file.sha256, NOTE);
    expect(settled).to.deep.include(file);
    expect(await database.files.find(file.sha256)).to.deep.equal(settled);
    expect(await database.files.settle(file.sha256, NOTE)).to.deep.equal(settled);
  });

  it('are known by whoever announces them again, and stay as they were', async () => {
    const inspection = {
      kind: 'ligand',
      findings: [{ severity: 'warning', line: 3, message: 'is ä' }],
      extent: { min: [0, 0, 0], max: [1, 2, 3.5] },
    } as const;
    const stored = await store('one', { inspection });
    expect(stored.inspection).to.deep.equal(inspection);
    const again = sampleFile('one', { name: 'another', createdBy: 'user-2' });
    expect(await database.files.announce(again)).to.deep.equal(stored);
  });

  it('are of the format that the first one tells who knows it', async () => {
    await store('one');
    const inspection = { kind: 'ligand', findings: [], extent: null } as const;
    expect((await database.files.announce(sampleFile('one', { inspection })))?.inspection).to.deep.equal(
      inspection,
    );
    await database.files.announce(sampleFile('one', { inspection: null }));
    expect((await database.files.find(sampleFile('one').sha256))?.inspection).to.deep.equal(inspection);
  });

  it('are listed newest first, in parts', async () => {
    const all: StoredFile[] = [];
    for (const text of ['a', 'b', 'c', 'd', 'e']) all.push(await store(text));
    const expected = all
      .toSorted(
        (one, other) =>
          other.createdAt.getTime() - one.createdAt.getTime() || (other.sha256 < one.sha256 ? -1 : 1),
      )
      .map(({ sha256 }) => sha256);
    const seen: string[] = [];
    let after: FileKey | null = null;
    do {
      const page: { items: readonly StoredFile[]; next: FileKey | null } = await database.files.list({
        limit: 2,
        after,
      });
      seen.push(...page.items.map(({ sha256 }) => sha256));
      after = page.next;
    } while (after !== null);
    expect(seen).to.deep.equal(expected);
  });

  it('are held by their hashes, and referred to by jobs', async () => {
    const [one, two] = [await store('one'), await store('two')];
    const { jobId } = sampleJob();
    await database.transaction(async ({ files, jobs }) => {
      const held = await files.hold([one.sha256, two.sha256, sha256Of('none')]);
      expect([...held.keys()].toSorted()).to.deep.equal([one.sha256, two.sha256].toSorted());
      expect(held.get(one.sha256)).to.deep.equal(one);
      await jobs.insert(sampleJob({ jobId }));
      await files.refer([{ jobId, role: 'ligand', name: 'l.pdbqt', sha256: one.sha256 }]);
    });
    expect(await mark(later())).to.deep.equal([two.sha256]);
  });

  it('are marked when nothing refers to them for long enough, and only so many', async () => {
    const files = [await store('a'), await store('b'), await store('c')];
    expect(await mark(new Date(Date.now() - HOUR_MS))).to.deep.equal([]);
    expect(await mark(later(), 2)).to.have.length(2);
    // Those whose deletion broke off are told again.
    expect((await mark(later())).toSorted()).to.deep.equal(files.map(({ sha256 }) => sha256).toSorted());
    for (const { sha256 } of files) expect(await database.files.find(sha256)).to.equal(null);
    expect(await database.files.totalBytes(null)).to.equal(0);
  });

  it('are not marked while an artifact has their bytes', async () => {
    await addArtifact((await store('poses')).sha256);
    expect(await mark(later())).to.deep.equal([]);
  });

  it('are not marked while a campaign gives them to its jobs, wherever they stand in its inputs', async () => {
    const [receptor, water] = [await store('receptor'), await store('water')];
    const unnamed = await store('unnamed');
    await database.campaigns.insert({
      campaignId: UPLOAD_ID,
      name: 'Kinases',
      description: null,
      engine: 'vina',
      inputs: {
        receptor: { file: `sha256:${receptor.sha256}`, name: 'r.pdbqt' },
        solvents: [{ file: 7 }, 'text', { inner: [{ file: `sha256:${water.sha256}` }] }],
        other: unnamed.sha256,
      },
      params: {},
      priority: null,
      createdBy: 'user-1',
      note: NOTE,
    });
    await database.campaigns.change(UPLOAD_ID, { archived: true }, NOTE);
    expect(await mark(later())).to.deep.equal([unnamed.sha256]);
  });

  it('are renewed where they are stored, and told', async () => {
    const file = await store('one');
    expect(await database.files.renew(file.sha256)).to.deep.equal(file);
    await mark(later());
    expect(await database.files.renew(file.sha256)).to.equal(null);
    expect(await database.files.renew(sha256Of('none'))).to.equal(null);
  });

  it('are told of artifacts, but for those whose bytes are elsewhere', async () => {
    const { sha256 } = await store('poses');
    const [kept, elsewhere] = [await addArtifact(sha256), await addArtifact(null)];
    const ids = [kept.artifactId, elsewhere.artifactId, UPLOAD_ID];
    expect([...(await database.artifacts.filesOf(ids))]).to.deep.equal([[kept.artifactId, sha256]]);
    expect((await database.artifacts.filesOf([])).size).to.equal(0);
  });

  it('are forgotten when they are marked, and live on when somebody uploads them again', async () => {
    const [gone, saved] = [await store('gone'), await store('saved')];
    await mark(later());
    expect(await database.files.announce(sampleFile('saved'))).to.equal(null);
    const answers = await database.transaction(async ({ files }) => {
      const locked = [await files.lockMarked(gone.sha256), await files.lockMarked(saved.sha256)];
      for (const { sha256 } of [gone, saved]) await files.forget(sha256);
      return locked;
    });
    expect(answers).to.deep.equal([true, false]);
    await database.files.settle(saved.sha256, NOTE);
    expect(await database.files.find(saved.sha256)).to.deep.include({ sha256: saved.sha256 });
    expect(await database.files.announce(sampleFile('gone'))).to.equal(null);
  });

  it('have uploads of their own, which end', async () => {
    const { inspection: _inspection, ...file } = sampleFile('one');
    const expiresAt = new Date(Math.floor(Date.now() / 1000) * 1000 + HOUR_MS);
    const upload = { ...file, uploadId: UPLOAD_ID, expiresAt };
    await database.files.addUpload(upload);
    // It may still bring them, unless they are there.
    expect(await database.files.totalBytes(null)).to.equal(3);
    expect(await database.files.totalBytes({ sha256: upload.sha256, uploads: true })).to.equal(0);
    expect(await database.files.totalBytes({ sha256: upload.sha256, uploads: false })).to.equal(3);
    expect(await database.files.findUpload(UPLOAD_ID)).to.deep.equal(upload);
    expect(await database.files.findUpload('00000000-0000-4000-8000-000000000002')).to.equal(null);
    const over = '00000000-0000-4000-8000-000000000003';
    await database.files.addUpload({ ...upload, uploadId: over, expiresAt: new Date(Date.now() - 1000) });
    expect(await database.files.findUpload(over)).to.equal(null);
    await mark(new Date(expiresAt.getTime() + 1));
    expect(await database.files.findUpload(UPLOAD_ID)).to.equal(null);
  });
};

for (const subject of RESULTS)
  describe(`files ${subject.name}`, function () {
    this.timeout(60_000);
    keepsFiles(subject);
  });
