import { Readable } from 'node:stream';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

const CONNECT_TIMEOUT_MS = 5000;
const PIECE_BYTES = 2 ** 16;

/** How long a store may be silent. */
type Patience =
  /** From the start of a request until its answer begins, however long the request is. */
  | { readonly requestTimeout: number }
  /** While nothing moves on the connection. A pause of whoever reads an answer counts too. */
  | { readonly socketTimeout: number };

/** A client of a store that speaks S3. It asks a silent store once. */
export const s3Client = (config: S3ClientConfig, patience: Patience): S3Client => {
  // A client that reads slowly holds a connection to the store. By default the SDK has 50, and all who come then wait for a
  // stranger. The account of answers under way limits the readers.
  const agent = { maxSockets: Infinity };
  // Not every store that speaks S3 knows the checksums that the SDK would add by default. The name is a checksum.
  const client = new S3Client({
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      ...patience,
    },
    ...config,
  });
  // The last step before the request is sent: it is signed, and each attempt comes by here.
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next({ ...args, request: inPieces(args.request) });
      } catch (error) {
        // The SDK repeats by the name and the code of an error, and of its causes.
        throw isSilence(error) ? new Error(error.message) : error;
      }
    },
    { step: 'deserialize', priority: 'low', name: 'askSilentStoreOnce' },
  );
  return client;
};

/** Node sees nothing move within one write to a TLS connection, so that a part that flows would count as silence. */
const inPieces = (request: unknown): unknown =>
  typeof request === 'object' && request !== null && 'body' in request && request.body instanceof Uint8Array
    ? { ...request, body: Readable.from(piecesOf(request.body), { objectMode: false }) }
    : request;

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array, void> {
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) yield bytes.subarray(from, from + PIECE_BYTES);
}

/** The SDK calls an error by this name also where the store has closed a connection: that is worth another attempt. */
const isSilence = (error: unknown): error is Error =>
  error instanceof Error &&
  error.name === 'TimeoutError' &&
  !('code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE'));
