import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import type { FileReference } from '../../../domain/files/file-reference.ts';
import type { FileRepository, NewFile } from '../../../domain/files/file-repository.ts';
import type { FileKey, FileUpload, StoredFile } from '../../../domain/files/stored-file.ts';
import type { PagePart, PartRequest } from '../../../domain/page.ts';
import { fakePart } from './fake-part.ts';

export interface FakeFile extends StoredFile {
  readonly state: 'arriving' | 'stored' | 'deleting';
  readonly uploadedAt: Date;
}

interface FakeFilesDeps {
  readonly now: () => Date;
  readonly note: (note: WriteNote) => void;
  /** Whether an artifact refers to the file. */
  readonly isOfArtifact: (sha256: string) => boolean;
  /** Whether the inputs of a campaign name it. */
  readonly isOfCampaign: (sha256: string) => boolean;
}

/** The files of one organization in memory. */
export class FakeFiles implements FileRepository {
  readonly rows = new Map<string, FakeFile>();
  readonly references: (FileReference & { readonly jobId: string })[] = [];
  readonly uploads = new Map<string, FileUpload>();
  readonly #deps: FakeFilesDeps;

  constructor(deps: FakeFilesDeps) {
    this.#deps = deps;
  }

  async find(sha256: string): Promise<StoredFile | null> {
    const row = this.rows.get(sha256);
    return row?.state === 'stored' ? toFile(row) : null;
  }

  async renew(sha256: string): Promise<StoredFile | null> {
    const row = this.rows.get(sha256);
    if (row?.state === 'stored') this.rows.set(sha256, { ...row, uploadedAt: new Date() });
    return this.find(sha256);
  }

  async list(part: PartRequest<FileKey>): Promise<PagePart<StoredFile, FileKey>> {
    const { after } = part;
    const following = [...this.rows.values()]
      .filter(({ state }) => state === 'stored')
      .filter((row) => after === null || compareKeys(row, after) < 0)
      .toSorted((one, other) => compareKeys(other, one))
      .map(toFile);
    return fakePart(following, part, ({ createdAt, sha256 }) => ({ createdAt, sha256 }));
  }

  async totalBytes(beside: { sha256: string; uploads: boolean } | null): Promise<number> {
    const rows = [...this.rows.values()].filter(({ state }) => state !== 'deleting');
    const kept = new Set(rows.map(({ sha256 }) => sha256));
    const uploads = [...this.uploads.values()].filter(
      ({ sha256, expiresAt }) =>
        expiresAt.getTime() > Date.now() &&
        !(beside?.uploads === true && sha256 === beside.sha256) &&
        !kept.has(sha256),
    );
    const others = rows.filter(({ sha256 }) => sha256 !== beside?.sha256);
    return [...others, ...uploads].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  async announce(file: NewFile): Promise<StoredFile | null> {
    const earlier = this.rows.get(file.sha256);
    const uploadedAt = new Date();
    const row: FakeFile = earlier ?? { ...file, state: 'arriving', createdAt: this.#deps.now(), uploadedAt };
    const state = row.state === 'deleting' ? 'arriving' : row.state;
    const known = { ...row, inspection: row.inspection ?? file.inspection, state, uploadedAt };
    this.rows.set(file.sha256, known);
    return state === 'stored' ? toFile(known) : null;
  }

  async settle(sha256: string, note: WriteNote): Promise<StoredFile> {
    const row = this.rows.get(sha256);
    if (row === undefined) throw new Error('an announced file vanished');
    if (row.state === 'arriving') this.#deps.note(note);
    this.rows.set(sha256, { ...row, state: 'stored' });
    return toFile(row);
  }

  async hold(hashes: readonly string[]): Promise<ReadonlyMap<string, StoredFile>> {
    const found = await Promise.all(hashes.map((sha256) => this.find(sha256)));
    return new Map(found.flatMap((file) => (file === null ? [] : [[file.sha256, file]])));
  }

  async refer(references: readonly (FileReference & { readonly jobId: string })[]): Promise<void> {
    this.references.push(...references);
  }

  async addUpload(upload: FileUpload): Promise<void> {
    this.uploads.set(upload.uploadId, upload);
  }

  async findUpload(uploadId: string): Promise<FileUpload | null> {
    const upload = this.uploads.get(uploadId);
    return upload === undefined || upload.expiresAt.getTime() <= Date.now() ? null : upload;
  }

  async markUnreferenced(before: Date, limit: number): Promise<readonly string[]> {
    for (const [id, { expiresAt }] of this.uploads) if (expiresAt < before) this.uploads.delete(id);
    const marked = [...this.rows.values()]
      .filter(({ uploadedAt, sha256 }) => uploadedAt < before && !this.#isReferenced(sha256))
      .toSorted((one, other) => one.uploadedAt.getTime() - other.uploadedAt.getTime())
      .slice(0, limit);
    for (const row of marked) this.rows.set(row.sha256, { ...row, state: 'deleting' });
    return marked.map(({ sha256 }) => sha256);
  }

  async lockMarked(sha256: string): Promise<boolean> {
    return this.rows.get(sha256)?.state === 'deleting';
  }

  async forget(sha256: string): Promise<void> {
    if (await this.lockMarked(sha256)) this.rows.delete(sha256);
  }

  #isReferenced(sha256: string): boolean {
    const { isOfArtifact, isOfCampaign } = this.#deps;
    const isOfJob = this.references.some((reference) => reference.sha256 === sha256);
    return isOfJob || isOfArtifact(sha256) || isOfCampaign(sha256);
  }
}

const toFile = ({ state: _state, uploadedAt: _uploadedAt, ...file }: FakeFile): StoredFile => file;

const compareKeys = (one: FileKey, other: FileKey): number =>
  one.createdAt.getTime() - other.createdAt.getTime() ||
  (one.sha256 < other.sha256 ? -1 : Number(one.sha256 > other.sha256));
