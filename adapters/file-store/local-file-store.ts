import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type {
  ByteRange,
  FileStore,
  Look,
  OpenBytes,
  ReceivedBytes,
} from '../../application/ports/files/file-store.ts';
import { FilesUnavailableError } from '../../domain/files/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { MeasuredBytes } from './measured-bytes.ts';

const UPLOADS = 'uploads';
const READ_BYTES = 256 * 1024;

/** Bytes in a folder: `<folder>/<organization>/<aa>/<sha256>`. Several processes may share it. */
export class LocalFileStore implements FileStore {
  readonly #root: string;

  constructor(folder: string) {
    this.#root = folder;
  }

  async receive(
    organizationId: OrganizationId,
    uploadId: string,
    { bytes, maxBytes, look }: Parameters<FileStore['receive']>[2],
  ): Promise<ReceivedBytes> {
    const path = this.#uploadPath(organizationId, uploadId);
    const measured = new MeasuredBytes(bytes, look, maxBytes);
    try {
      await this.#makeFolder(dirname(path));
      // What an earlier attempt of the same upload has sent is replaced.
      await pipeline(measured, createWriteStream(path, { flags: 'w', mode: 0o600, flush: true }));
    } catch (error) {
      // What failed first says more.
      await rm(path, { force: true }).catch(() => undefined);
      throw explained(error);
    }
    return measured.received();
  }

  async measure(organizationId: OrganizationId, uploadId: string, look: Look): Promise<ReceivedBytes | null> {
    const path = this.#uploadPath(organizationId, uploadId);
    const held = await orUnavailable(read(path, null).catch(nullIfMissing));
    return held === null ? null : orUnavailable(new MeasuredBytes(held.bytes, look).measure());
  }

  async publish(organizationId: OrganizationId, uploadId: string, sha256: string): Promise<void> {
    const path = this.#path(organizationId, sha256);
    try {
      await this.#makeFolder(dirname(path));
      await rename(this.#uploadPath(organizationId, uploadId), path);
      await syncFolder(dirname(path));
    } catch (error) {
      throw explained(error);
    }
  }

  async discard(organizationId: OrganizationId, uploadId: string): Promise<void> {
    await orUnavailable(rm(this.#uploadPath(organizationId, uploadId), { force: true }));
  }

  async discardAbandoned(organizationId: OrganizationId, before: Date): Promise<void> {
    const folder = join(this.#root, organizationId, UPLOADS);
    for (const name of await namesIn(folder)) {
      const path = join(folder, name);
      const found = await orUnavailable(stat(path).catch(nullIfMissing));
      if (found !== null && found.mtime < before) await orUnavailable(rm(path, { force: true }));
    }
  }

  async sizeOf(organizationId: OrganizationId, sha256: string): Promise<number | null> {
    const found = await orUnavailable(stat(this.#path(organizationId, sha256)).catch(nullIfMissing));
    return found?.size ?? null;
  }

  async open(organizationId: OrganizationId, sha256: string, range: ByteRange | null): Promise<OpenBytes> {
    return orUnavailable(read(this.#path(organizationId, sha256), range));
  }

  async delete(organizationId: OrganizationId, sha256: string): Promise<void> {
    const path = this.#path(organizationId, sha256);
    const found = await orUnavailable(unlink(path).then(() => true, nullIfMissing));
    if (found !== null) await orUnavailable(syncFolder(dirname(path)));
  }

  async deleteAll(organizationId: OrganizationId): Promise<void> {
    await orUnavailable(rm(join(this.#root, organizationId), { recursive: true, force: true }));
  }

  async presignUpload(): Promise<null> {
    return null;
  }

  async presignDownload(): Promise<null> {
    return null;
  }

  #path(organizationId: OrganizationId, sha256: string): string {
    return join(this.#root, organizationId, sha256.slice(0, 2), sha256);
  }

  #uploadPath(organizationId: OrganizationId, uploadId: string): string {
    return join(this.#root, organizationId, UPLOADS, uploadId);
  }

  /** A folder that is made is durable when the folder that holds it is. */
  async #makeFolder(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made))
      await syncFolder(dirname(made));
  }
}

const read = async (path: string, range: ByteRange | null): Promise<OpenBytes> => {
  const file: FileHandle = await open(path, 'r');
  const bytes = file.createReadStream({
    highWaterMark: READ_BYTES,
    ...(range !== null && { start: range.first, end: range.last }),
  });
  return { bytes, close: () => bytes.destroy() };
};

/** A name is durable when its folder is. */
const syncFolder = async (folder: string): Promise<void> => {
  // Windows opens no folders, and keeps names by itself.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const namesIn = async (folder: string): Promise<readonly string[]> =>
  (await orUnavailable(readdir(folder).catch(nullIfMissing))) ?? [];

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

const nullIfMissing = (error: unknown): null => {
  if (isMissing(error)) return null;
  throw error;
};

/** What the operating system refused; all else is the source's of the bytes. */
const explained = (error: unknown): unknown =>
  error instanceof Error && 'syscall' in error ? new FilesUnavailableError(error) : error;

const orUnavailable = async <Result>(work: Promise<Result>): Promise<Result> => {
  try {
    return await work;
  } catch (error) {
    throw explained(error);
  }
};
