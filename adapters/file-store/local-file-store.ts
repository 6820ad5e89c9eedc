import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type {
  ByteRange,
  FileStore,
  Look,
  MeasuredUpload,
  OpenBytes,
  ReceivedBytes,
} from '../../application/ports/files/file-store.ts';
import { DigestMismatchError, FilesUnavailableError } from '../../domain/files/errors.ts';
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
    // A request that hangs may go on to write while another one sends the same upload again, or when it is published.
    const path = this.#privatePath(organizationId, uploadId);
    const measured = new MeasuredBytes(bytes, look, maxBytes);
    try {
      await this.#makeFolder(dirname(path));
      await pipeline(measured, createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
      await rename(path, this.#uploadPath(organizationId, uploadId));
    } catch (error) {
      // What failed first says more.
      await rm(path, { force: true }).catch(() => undefined);
      throw explained(error);
    }
    return measured.received();
  }

  async measure(
    organizationId: OrganizationId,
    uploadId: string,
    look: Look,
  ): Promise<MeasuredUpload | null> {
    const path = this.#uploadPath(organizationId, uploadId);
    const file = await orUnavailable(open(path, 'r').catch(nullIfMissing));
    if (file === null) return null;
    try {
      const version = versionOf(await file.stat({ bigint: true }));
      const bytes = file.createReadStream({ highWaterMark: READ_BYTES, autoClose: false });
      return { ...(await new MeasuredBytes(bytes, look).measure()), version };
    } catch (error) {
      throw explained(error);
    } finally {
      await file.close();
    }
  }

  async publish(
    organizationId: OrganizationId,
    uploadId: string,
    sha256: string,
    version?: string,
  ): Promise<void> {
    const path = this.#path(organizationId, sha256);
    // Under a name that nobody else knows, these bytes stay what they are.
    const taken = this.#privatePath(organizationId, uploadId);
    try {
      await this.#makeFolder(dirname(path));
      const isTaken = await rename(this.#uploadPath(organizationId, uploadId), taken).then(
        () => true,
        nullIfMissing,
      );
      if (isTaken === null) {
        // Another completion of the same upload was faster. Its bytes are in place, or will be when the client asks again.
        await stat(path);
        return;
      }
      if (version !== undefined && versionOf(await stat(taken, { bigint: true })) !== version) {
        await rm(taken, { force: true });
        throw new DigestMismatchError('Other bytes came while the upload was completed.');
      }
      await rename(taken, path);
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

  #privatePath(organizationId: OrganizationId, uploadId: string): string {
    return `${this.#uploadPath(organizationId, uploadId)}.${randomUUID()}`;
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
  return { bytes: readable(bytes), close: () => bytes.destroy() };
};

/** @throws {FilesUnavailableError} when the folder's disk fails in the middle of a file */
async function* readable(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* bytes;
  } catch (error) {
    throw explained(error);
  }
}

/** A file that is complete is never written to again, so these two name its bytes. A name that changes is none of them. */
const versionOf = ({ ino, mtimeNs }: { readonly ino: bigint; readonly mtimeNs: bigint }): string =>
  `${ino}.${mtimeNs}`;

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
