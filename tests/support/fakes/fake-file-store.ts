import { createHash, randomUUID } from 'node:crypto';
import type {
  ByteRange,
  FileStore,
  Look,
  MeasuredUpload,
  OpenBytes,
  PresignedUpload,
  ReceivedBytes,
} from '../../../application/ports/files/file-store.ts';
import {
  DigestMismatchError,
  FilesUnavailableError,
  FileTooLargeError,
} from '../../../domain/files/errors.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

interface FakeObject {
  readonly bytes: Buffer;
  readonly madeAt: Date;
  readonly version: string;
}

/** Bytes in memory, by keys that an organization's id begins. */
export class FakeFileStore implements FileStore {
  readonly objects = new Map<string, FakeObject>();
  /** Of reads that are not closed. */
  openReads = 0;

  async receive(
    organizationId: OrganizationId,
    uploadId: string,
    { bytes, maxBytes, look }: Parameters<FileStore['receive']>[2],
  ): Promise<ReceivedBytes> {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of bytes) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw new FileTooLargeError(maxBytes);
      look(chunk);
      chunks.push(chunk);
    }
    const whole = Buffer.concat(chunks);
    this.objects.set(uploadKey(organizationId, uploadId), {
      bytes: whole,
      madeAt: new Date(),
      version: randomUUID(),
    });
    return measured(whole);
  }

  async measure(
    organizationId: OrganizationId,
    uploadId: string,
    look: Look,
  ): Promise<MeasuredUpload | null> {
    const found = this.objects.get(uploadKey(organizationId, uploadId));
    if (found === undefined) return null;
    look(found.bytes);
    return { ...measured(found.bytes), version: found.version };
  }

  async publish(
    organizationId: OrganizationId,
    uploadId: string,
    sha256: string,
    version?: string,
  ): Promise<void> {
    const from = uploadKey(organizationId, uploadId);
    const found = this.objects.get(from);
    if (found === undefined) {
      if (this.objects.has(key(organizationId, sha256))) return;
      throw new FilesUnavailableError(new Error('no such upload'));
    }
    if (version !== undefined && version !== found.version) throw new DigestMismatchError();
    this.objects.set(key(organizationId, sha256), found);
    this.objects.delete(from);
  }

  async discard(organizationId: OrganizationId, uploadId: string): Promise<void> {
    this.objects.delete(uploadKey(organizationId, uploadId));
  }

  async discardAbandoned(organizationId: OrganizationId, before: Date): Promise<void> {
    for (const [name, { madeAt }] of this.objects)
      if (name.startsWith(uploadKey(organizationId, '')) && madeAt < before) this.objects.delete(name);
  }

  async sizeOf(organizationId: OrganizationId, sha256: string): Promise<number | null> {
    return this.objects.get(key(organizationId, sha256))?.bytes.length ?? null;
  }

  async open(organizationId: OrganizationId, sha256: string, range: ByteRange | null): Promise<OpenBytes> {
    const found = this.objects.get(key(organizationId, sha256));
    if (found === undefined) throw new FilesUnavailableError(new Error('no such bytes'));
    const { first, last } = range ?? { first: 0, last: found.bytes.length - 1 };
    this.openReads += 1;
    let isOpen = true;
    return {
      bytes: (async function* bytes() {
        yield found.bytes.subarray(first, last + 1);
      })(),
      close: () => {
        if (isOpen) this.openReads -= 1;
        isOpen = false;
      },
    };
  }

  async delete(organizationId: OrganizationId, sha256: string): Promise<void> {
    this.objects.delete(key(organizationId, sha256));
  }

  async deleteAll(organizationId: OrganizationId): Promise<void> {
    for (const name of this.objects.keys())
      if (name.startsWith(`${organizationId}/`)) this.objects.delete(name);
  }

  async presignUpload(): Promise<PresignedUpload | null> {
    return null;
  }

  async presignDownload(): Promise<string | null> {
    return null;
  }
}

const key = (organizationId: OrganizationId, sha256: string): string =>
  `${organizationId}/${sha256.slice(0, 2)}/${sha256}`;

const uploadKey = (organizationId: OrganizationId, uploadId: string): string =>
  `${organizationId}/uploads/${uploadId}`;

const measured = (bytes: Buffer): ReceivedBytes => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  sizeBytes: bytes.length,
});
