/** A full batch is sent at once. */
export const BATCH_SPANS = 512;
/** More than so many spans take. One that has no room begins the next batch. */
export const BATCH_BYTES = 512 * 1024;
/** Full batches that wait while another one is sent. What comes on top of them is dropped. */
export const WAITING_BATCHES = 3;
/** A batch that does not get full is sent after this time. */
const DELAY_MS = 5000;
/** Of UTF-8, for each unit of a text in UTF-16. */
const MOST_BYTES = 3;

const END = Buffer.from(']}]}]}');

export interface SpanSource {
  /** Who sends the spans, as OTLP's JSON. */
  readonly resource: string;
  /** What made them. */
  readonly scope: string;
  /** Default: five seconds. */
  readonly delayMs?: number;
}

/** Takes a batch to where it belongs. Never rejects. */
export type SendBatch = (body: Uint8Array) => Promise<void>;

/**
 * Collects spans as JSON and sends them in batches, one after another. A span is written into its batch's bytes when it ends:
 * kept as an object, or as a text in pieces, it would be copied by every collection of garbage until its batch is full.
 * Decision 0055.
 */
export class SpanBatches {
  readonly #head: Buffer;
  readonly #delayMs: number;
  readonly #send: SendBatch;
  readonly #waiting: Uint8Array[] = [];
  #batch: Batch;
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;

  constructor({ resource, scope, delayMs = DELAY_MS }: SpanSource, send: SendBatch) {
    const scopeSpans = `{"scope":{"name":${JSON.stringify(scope)}},"spans":[`;
    this.#head = Buffer.from(`{"resourceSpans":[{"resource":${resource},"scopeSpans":[${scopeSpans}`);
    this.#delayMs = delayMs;
    this.#send = send;
    this.#batch = new Batch(this.#head);
  }

  add(span: string): void {
    if (!this.#batch.hasRoomFor(span)) this.#fill();
    if (!this.#batch.hasRoomFor(span)) return;
    this.#batch.add(span);
    if (this.#batch.spans === BATCH_SPANS) this.#fill();
    else this.#timer ??= setTimeout(() => this.#fill(), this.#delayMs).unref();
  }

  /** Sends all that is left. Never rejects. */
  async flush(): Promise<void> {
    this.#fill();
    await this.#sending;
  }

  /** What there is of a batch is to be sent. */
  #fill(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#batch.spans === 0) return;
    if (this.#waiting.length < WAITING_BATCHES) this.#waiting.push(this.#batch.body());
    this.#batch = new Batch(this.#head);
    this.#sending ??= this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    for (let body = this.#waiting.shift(); body !== undefined; body = this.#waiting.shift())
      await this.#send(body);
    this.#sending = null;
  }
}

class Batch {
  readonly #bytes = Buffer.allocUnsafe(BATCH_BYTES);
  #length: number;
  spans = 0;

  constructor(head: Buffer) {
    this.#length = head.copy(this.#bytes);
  }

  hasRoomFor(span: string): boolean {
    return this.#length + 1 + MOST_BYTES * span.length + END.length <= BATCH_BYTES;
  }

  add(span: string): void {
    if (this.spans > 0) this.#length += this.#bytes.write(',', this.#length);
    this.#length += this.#bytes.write(span, this.#length);
    this.spans += 1;
  }

  body(): Uint8Array {
    return this.#bytes.subarray(0, this.#length + END.copy(this.#bytes, this.#length));
  }
}
