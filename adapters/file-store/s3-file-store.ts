import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type {
  ByteRange,
  FileStore,
  Look,
  MeasuredUpload,
  OpenBytes,
  PresignedUpload,
  ReceivedBytes,
} from '../../application/ports/files/file-store.ts';
import { DomainError } from '../../domain/exceptions.ts';
import { DigestMismatchError, FilesUnavailableError } from '../../domain/files/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { MeasuredBytes } from './measured-bytes.ts';
import { s3Client } from './s3-client.ts';

export interface S3Place {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly client: S3ClientConfig;
  /** How long the store may be silent: before it begins to answer, and in the middle of a file or a part. Default: 30 s. */
  readonly answerTimeoutMs?: number;
}

const ANSWER_TIMEOUT_MS = 30_000;
/** A store may begin to answer when it has copied gigabytes. */
const COPY_TIMEOUT_MS = 600_000;
/** Below the pause after which PostgreSQL ends a transaction (10 s by default). */
const DELETE_TIMEOUT_MS = 5000;

/** Each upload holds this many parts of 5 MiB in memory. */
const PARTS_AT_ONCE = 2;

/** Bytes in a bucket: `<prefix>/<organization>/<aa>/<sha256>`. Bytes without a name yet are under `uploads/`. */
export class S3FileStore implements FileStore {
  readonly #client: S3Client;
  /** For what sends bytes: a part on a slow link may take longer than a store may be silent. */
  readonly #sender: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #answerTimeoutMs: number;

  constructor({ bucket, prefix, client, answerTimeoutMs = ANSWER_TIMEOUT_MS }: S3Place) {
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#client = s3Client(client, { requestTimeout: answerTimeoutMs });
    this.#sender = s3Client(client, { socketTimeout: answerTimeoutMs });
  }

  async receive(
    organizationId: OrganizationId,
    uploadId: string,
    { bytes, maxBytes, look }: Parameters<FileStore['receive']>[2],
  ): Promise<ReceivedBytes> {
    const measured = new MeasuredBytes(bytes, look, maxBytes);
    const body = Readable.from(measured);
    const upload = new Upload({
      client: this.#sender,
      queueSize: PARTS_AT_ONCE,
      params: { ...this.#at(this.#uploadKey(organizationId, uploadId)), Body: body },
    });
    try {
      await upload.done();
    } catch (error) {
      // The parts of an upload that failed are aborted by the SDK.
      throw body.errored ?? unavailable(error);
    }
    return measured.received();
  }

  async measure(
    organizationId: OrganizationId,
    uploadId: string,
    look: Look,
  ): Promise<MeasuredUpload | null> {
    try {
      const { bytes, tag } = await this.#read(this.#uploadKey(organizationId, uploadId), null);
      return { ...(await new MeasuredBytes(bytes, look).measure()), version: tag };
    } catch (error) {
      if (isMissing(error)) return null;
      throw unavailable(error);
    }
  }

  async publish(
    organizationId: OrganizationId,
    uploadId: string,
    sha256: string,
    version?: string,
  ): Promise<void> {
    const from = this.#uploadKey(organizationId, uploadId);
    const source = `${this.#bucket}/${from}`.split('/').map(encodeURIComponent).join('/');
    try {
      await this.#client.send(
        new CopyObjectCommand({
          ...this.#at(this.#key(organizationId, sha256)),
          CopySource: source,
          ...(version !== undefined && { CopySourceIfMatch: version }),
        }),
        { requestTimeout: COPY_TIMEOUT_MS },
      );
    } catch (error) {
      if (error instanceof Error && error.name === 'PreconditionFailed')
        throw new DigestMismatchError('Other bytes came while the upload was completed.');
      // Another completion of the same upload was faster.
      if (isMissing(error) && (await this.sizeOf(organizationId, sha256)) !== null) return;
      throw unavailable(error);
    }
    await this.discard(organizationId, uploadId);
  }

  async discard(organizationId: OrganizationId, uploadId: string): Promise<void> {
    await this.#deleteKey(this.#uploadKey(organizationId, uploadId));
  }

  async discardAbandoned(organizationId: OrganizationId, before: Date): Promise<void> {
    await this.#deleteUnder(
      this.#uploadKey(organizationId, ''),
      (modified) => modified !== undefined && modified < before,
    );
  }

  async sizeOf(organizationId: OrganizationId, sha256: string): Promise<number | null> {
    try {
      const { ContentLength: size } = await this.#client.send(
        new HeadObjectCommand(this.#at(this.#key(organizationId, sha256))),
      );
      return size ?? null;
    } catch (error) {
      if (isMissing(error)) return null;
      throw unavailable(error);
    }
  }

  open(organizationId: OrganizationId, sha256: string, range: ByteRange | null): Promise<OpenBytes> {
    return this.#call(() => this.#read(this.#key(organizationId, sha256), range));
  }

  async delete(organizationId: OrganizationId, sha256: string): Promise<void> {
    await this.#deleteKey(this.#key(organizationId, sha256));
  }

  async deleteAll(organizationId: OrganizationId): Promise<void> {
    await this.#deleteUnder(`${this.#prefix}${organizationId}/`, () => true);
  }

  async presignUpload(
    organizationId: OrganizationId,
    uploadId: string,
    {
      sizeBytes,
      mediaType,
      lifetimeSeconds,
    }: { readonly sizeBytes: number; readonly mediaType: string; readonly lifetimeSeconds: number },
  ): Promise<PresignedUpload> {
    const command = new PutObjectCommand({
      ...this.#at(this.#uploadKey(organizationId, uploadId)),
      ContentLength: sizeBytes,
      ContentType: mediaType,
    });
    // Without these in the signature a client could send any amount of bytes.
    const signed = new Set(['content-length', 'content-type']);
    const url = await this.#call(() =>
      getSignedUrl(this.#client, command, { expiresIn: lifetimeSeconds, signableHeaders: signed }),
    );
    return { url, headers: { 'Content-Type': mediaType, 'Content-Length': String(sizeBytes) } };
  }

  presignDownload(
    organizationId: OrganizationId,
    sha256: string,
    {
      mediaType,
      disposition,
      lifetimeSeconds,
    }: { readonly mediaType: string; readonly disposition: string; readonly lifetimeSeconds: number },
  ): Promise<string> {
    const command = new GetObjectCommand({
      ...this.#at(this.#key(organizationId, sha256)),
      ResponseContentType: mediaType,
      ResponseContentDisposition: disposition,
    });
    return this.#call(() => getSignedUrl(this.#client, command, { expiresIn: lifetimeSeconds }));
  }

  #key(organizationId: OrganizationId, sha256: string): string {
    return `${this.#prefix}${organizationId}/${sha256.slice(0, 2)}/${sha256}`;
  }

  #uploadKey(organizationId: OrganizationId, uploadId: string): string {
    return `${this.#prefix}${organizationId}/uploads/${uploadId}`;
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: key };
  }

  async #read(key: string, range: ByteRange | null): Promise<OpenBytes & { readonly tag: string }> {
    const { Body: body, ETag: tag = '' } = await this.#client.send(
      new GetObjectCommand({
        ...this.#at(key),
        ...(range !== null && { Range: `bytes=${range.first}-${range.last}` }),
      }),
    );
    if (!(body instanceof Readable)) throw new Error('S3 answered without a stream');
    // One that breaks off before anybody reads it would end the process.
    body.on('error', () => undefined);
    return { bytes: arriving(body, this.#answerTimeoutMs), close: () => void body.destroy(), tag };
  }

  /** With all its attempts it ends while its caller still holds the lock on the row: later it could meet bytes that came anew. */
  async #deleteKey(key: string): Promise<void> {
    const abortSignal = AbortSignal.timeout(Math.min(this.#answerTimeoutMs, DELETE_TIMEOUT_MS));
    await this.#call(() => this.#client.send(new DeleteObjectCommand(this.#at(key)), { abortSignal }));
  }

  async #deleteUnder(prefix: string, chosen: (modified: Date | undefined) => boolean): Promise<void> {
    let after: string | undefined;
    do {
      const page = await this.#call(() =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: prefix,
            ...(after !== undefined && { StartAfter: after }),
          }),
        ),
      );
      const found = page.Contents ?? [];
      const keys = found.flatMap(({ Key, LastModified }) =>
        Key !== undefined && chosen(LastModified) ? [{ Key }] : [],
      );
      if (keys.length > 0) await this.#call(() => this.#deleteKeys(keys));
      after = page.IsTruncated === true ? found.at(-1)?.Key : undefined;
    } while (after !== undefined);
  }

  /** A store answers 200 also when it has deleted only some of them. */
  async #deleteKeys(keys: readonly { readonly Key: string }[]): Promise<void> {
    const command = new DeleteObjectsCommand({
      Bucket: this.#bucket,
      Delete: { Objects: [...keys], Quiet: true },
    });
    const { Errors: failed = [] } = await this.#client.send(command);
    const [first] = failed;
    if (first !== undefined)
      throw new Error(
        `${failed.length} of ${keys.length} files were not deleted: ${first.Code ?? 'no reason'}`,
      );
  }

  async #call<Result>(send: () => Promise<Result>): Promise<Result> {
    try {
      return await send();
    } catch (error) {
      throw unavailable(error);
    }
  }
}

/**
 * The bytes of an answer as they come. Only the time in which somebody waits for them counts.
 *
 * @throws {FilesUnavailableError} when they break off, or nothing comes for `patienceMs`
 */
async function* arriving(body: Readable, patienceMs: number): AsyncGenerator<Uint8Array, void> {
  const wait = (): NodeJS.Timeout =>
    setTimeout(() => body.destroy(new Error(`nothing came for ${patienceMs} ms`)), patienceMs).unref();
  let timer = wait();
  try {
    // A stream of bytes: no encoding was set for it.
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      yield chunk;
      timer = wait();
    }
  } catch (error) {
    throw unavailable(error);
  } finally {
    clearTimeout(timer);
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'NotFound' || error.name === 'NoSuchKey');

const unavailable = (error: unknown): DomainError =>
  error instanceof DomainError ? error : new FilesUnavailableError(error);
