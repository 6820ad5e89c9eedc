/** An engine writes a few kilobytes. One that runs wild must not fill the worker's memory. */
const MAX_HEAD_BYTES = 1024 * 1024;
const TAIL_BYTES = 64 * 1024;

/** Keeps the beginning and the end of what an engine writes. */
export class EngineLog {
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #tail = Buffer.alloc(0);
  #leftOutBytes = 0;

  add(chunk: Buffer): void {
    const room = MAX_HEAD_BYTES - this.#headBytes;
    if (room > 0) {
      this.#head.push(chunk.subarray(0, room));
      this.#headBytes += Math.min(room, chunk.length);
    }
    if (chunk.length <= room) return;
    const tail = Buffer.concat([this.#tail, chunk.subarray(Math.max(room, 0))]);
    this.#tail = tail.subarray(-TAIL_BYTES);
    this.#leftOutBytes += tail.length - this.#tail.length;
  }

  /** All of it; where much was left out, a line in its middle says how much. */
  bytes(): Buffer<ArrayBuffer> {
    const gap = `\n[${this.#leftOutBytes} bytes are left out here]\n`;
    return Buffer.concat([...this.#head, ...(this.#leftOutBytes > 0 ? [Buffer.from(gap)] : []), this.#tail]);
  }

  get isEmpty(): boolean {
    return this.#headBytes === 0;
  }
}
