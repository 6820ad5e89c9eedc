import type { Socket } from 'node:net';
import type { Exchange } from './pipelined-requests.ts';

export interface BodyLimits {
  /** Of a body nothing may come for this long. */
  readonly stallMs: number;
  /** The whole of it has to come within this time from its head. */
  readonly deadlineMs: number;
}

/** What the watch uses of a connection and its current exchange. */
type WatchedSocket = Pick<Socket, 'bytesRead' | 'destroyed'>;
interface WatchedBody {
  readonly request: Pick<Exchange['request'], 'complete'>;
  readonly response: Exchange['response'];
}

export interface BodyWatchOptions<Connection> {
  readonly everyMs: number;
  readonly limitsOf: (response: Exchange['response']) => BodyLimits;
  /** Called for a connection whose body is late, again at each look until it ends. */
  readonly onTimeout: (socket: Connection) => void;
}

interface Progress {
  readonly beganAtMs: number;
  movedAtMs: number;
  read: number;
}

/**
 * Ends requests whose body does not come. In place of Node's `requestTimeout`, which gives a file of a gigabyte no more time
 * than a document. The time in which the service does not read counts as the client's: it reads as fast as its store writes.
 */
export class BodyWatch<Connection extends WatchedSocket> {
  readonly #options: BodyWatchOptions<Connection>;
  readonly #connections: ReadonlyMap<Connection, WatchedBody | null>;
  readonly #progress = new WeakMap<WatchedBody, Progress>();
  readonly #timer: NodeJS.Timeout;

  /** @param connections the current exchange of each, as they are at each look */
  constructor(
    connections: ReadonlyMap<Connection, WatchedBody | null>,
    options: BodyWatchOptions<Connection>,
  ) {
    this.#connections = connections;
    this.#options = options;
    this.#timer = setInterval(() => this.look(performance.now()), options.everyMs).unref();
  }

  /** Judges every body under way. Runs by itself. @param nowMs as `performance.now()` */
  look(nowMs: number): void {
    for (const [socket, exchange] of this.#connections) {
      if (exchange === null || exchange.request.complete || socket.destroyed) continue;
      if (this.#isLate(exchange, socket.bytesRead, nowMs)) this.#options.onTimeout(socket);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #isLate(exchange: WatchedBody, read: number, nowMs: number): boolean {
    const progress = this.#progress.get(exchange);
    if (progress === undefined) {
      this.#progress.set(exchange, { beganAtMs: nowMs, movedAtMs: nowMs, read });
      return false;
    }
    if (read !== progress.read) {
      progress.read = read;
      progress.movedAtMs = nowMs;
    }
    const { stallMs, deadlineMs } = this.#options.limitsOf(exchange.response);
    return nowMs - progress.movedAtMs >= stallMs || nowMs - progress.beganAtMs >= deadlineMs;
  }
}
