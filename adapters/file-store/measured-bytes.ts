import { createHash } from 'node:crypto';
import type { Bytes, Look, ReceivedBytes } from '../../application/ports/files/file-store.ts';
import { FileTooLargeError } from '../../domain/files/errors.ts';

/** Passes bytes on, and knows afterwards what they were. */
export class MeasuredBytes implements Bytes {
  readonly #source: Bytes;
  readonly #maxBytes: number;
  readonly #look: Look;
  readonly #hash = createHash('sha256');
  #sizeBytes = 0;

  /** Iterating throws {FileTooLargeError} before the byte that is one too many is passed on. */
  constructor(source: Bytes, look: Look, maxBytes = Infinity) {
    this.#source = source;
    this.#look = look;
    this.#maxBytes = maxBytes;
  }

  /** Lets all of them pass. */
  async measure(): Promise<ReceivedBytes> {
    const chunks = this[Symbol.asyncIterator]();
    while ((await chunks.next()).done !== true) continue;
    return this.received();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of this.#source) {
      this.#sizeBytes += chunk.length;
      if (this.#sizeBytes > this.#maxBytes) throw new FileTooLargeError(this.#maxBytes);
      this.#hash.update(chunk);
      this.#look(chunk);
      yield chunk;
    }
  }

  /** Call it once, when all have passed. */
  received(): ReceivedBytes {
    return { sha256: this.#hash.digest('hex'), sizeBytes: this.#sizeBytes };
  }
}
