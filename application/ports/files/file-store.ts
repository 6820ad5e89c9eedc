import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

export type Bytes = AsyncIterable<Uint8Array>;

/** Sees bytes as they pass. */
export type Look = (bytes: Uint8Array) => void;

/** Bytes that came. */
export interface ReceivedBytes {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** What an upload held when it was read. */
export interface MeasuredUpload extends ReceivedBytes {
  /** Names these bytes among those that come under the same upload. */
  readonly version: string;
}

/** Bytes from `first` to `last`, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** Bytes that are being read. Who does not read them to their end has to close them. */
export interface OpenBytes {
  readonly bytes: Bytes;
  readonly close: () => void;
}

/** A request that a client may send to where the bytes are, without a token of this service. */
export interface PresignedUpload {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The bytes of files, outside of every database: a folder, or a bucket. Each organization has a place of its own, and no part
 * of any key comes from what a user wrote. Bytes that are received have no name until they are published. Decision 0046.
 *
 * Every method may throw {FilesUnavailableError}.
 */
export interface FileStore {
  /**
   * Takes bytes, and makes them durable under the id of an upload, in place of those that it had, once all have come. Two
   * that come at the same time do not mix.
   *
   * @throws {FileTooLargeError} and whatever `bytes` throws; then nothing is kept of them
   */
  receive(
    organizationId: OrganizationId,
    uploadId: string,
    incoming: { readonly bytes: Bytes; readonly maxBytes: number; readonly look: Look },
  ): Promise<ReceivedBytes>;
  /**
   * Reads what an upload holds, and shows it to `look` as it passes.
   *
   * @returns null when it holds nothing
   */
  measure(organizationId: OrganizationId, uploadId: string, look: Look): Promise<MeasuredUpload | null>;
  /**
   * Gives received bytes their name. They are durable under it when this resolves. Safe to repeat, also at the same time, and
   * with other bytes of the same name.
   *
   * @param version of those that were measured; undefined where nobody else can send any under this upload
   * @throws {DigestMismatchError} when other bytes have come since they were measured; these are not published
   */
  publish(organizationId: OrganizationId, uploadId: string, sha256: string, version?: string): Promise<void>;
  /** Deletes what an upload holds, if anything. */
  discard(organizationId: OrganizationId, uploadId: string): Promise<void>;
  /** Deletes uploads that nobody has published or discarded, because their process died. */
  discardAbandoned(organizationId: OrganizationId, before: Date): Promise<void>;
  /** Null when there are none of that name. */
  sizeOf(organizationId: OrganizationId, sha256: string): Promise<number | null>;
  /** @param range null: all of them; else within their size */
  open(organizationId: OrganizationId, sha256: string, range: ByteRange | null): Promise<OpenBytes>;
  /** Deletes the bytes of that name, if there are any. */
  delete(organizationId: OrganizationId, sha256: string): Promise<void>;
  /** Deletes all that the organization has. */
  deleteAll(organizationId: OrganizationId): Promise<void>;
  /** Null where bytes go through this service. */
  presignUpload(
    organizationId: OrganizationId,
    uploadId: string,
    upload: { readonly sizeBytes: number; readonly mediaType: string; readonly lifetimeSeconds: number },
  ): Promise<PresignedUpload | null>;
  /** Null where bytes go through this service. */
  presignDownload(
    organizationId: OrganizationId,
    sha256: string,
    reply: { readonly mediaType: string; readonly disposition: string; readonly lifetimeSeconds: number },
  ): Promise<string | null>;
}
