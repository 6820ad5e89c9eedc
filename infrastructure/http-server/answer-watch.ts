import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AnswerCut } from '../../application/ports/runtime/http-metrics.ts';

/** What the watch uses of a request and its response. */
export interface WatchedExchange {
  readonly request: { readonly socket: Pick<Socket, 'bytesWritten' | 'destroy'> };
  readonly response: ServerResponse;
}

export interface AnswerWatchOptions {
  /** An answer of which the client takes nothing for this long is cut. */
  readonly stallMs: number;
  /** An answer that is not over this long after its beginning is cut. */
  readonly deadlineMs: number;
  /** Whether an answer has no end of its own. It has no deadline, and may pause. */
  readonly isOpenEnded: (response: ServerResponse) => boolean;
  /** Called before a connection is destroyed. */
  readonly onCut: (response: ServerResponse, cut: AnswerCut) => void;
}

interface Progress {
  readonly beganAtMs: number;
  movedAtMs: number;
  written: number;
}

/** The shortest and longest time between two looks. */
const MIN_LOOK_MS = 10;
const MAX_LOOK_MS = 1000;

/**
 * Ends connections whose client does not take the answer that it asked for: such an answer holds a lease and memory. It
 * relies on answers being sent in slices, each after the one before has gone: only then do the bytes written to a socket
 * tell what the client has taken. Decision 0033.
 */
export class AnswerWatch {
  readonly #options: AnswerWatchOptions;
  readonly #exchanges: Iterable<WatchedExchange>;
  readonly #progress = new WeakMap<ServerResponse, Progress>();
  readonly #timer: NodeJS.Timeout;

  /** @param exchanges those under way, as they are at each look */
  constructor(exchanges: Iterable<WatchedExchange>, options: AnswerWatchOptions) {
    this.#exchanges = exchanges;
    this.#options = options;
    const everyMs = Math.min(MAX_LOOK_MS, Math.max(MIN_LOOK_MS, options.stallMs / 4));
    this.#timer = setInterval(() => this.look(performance.now()), everyMs).unref();
  }

  /** Judges every answer under way. Runs by itself. @param nowMs as `performance.now()` */
  look(nowMs: number): void {
    for (const { request, response } of this.#exchanges) {
      const { socket } = request;
      if (!response.headersSent || response.closed) continue;
      const cut = this.#judge(response, socket.bytesWritten, nowMs);
      if (cut === null) continue;
      this.#options.onCut(response, cut);
      socket.destroy();
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #judge(response: ServerResponse, written: number, nowMs: number): AnswerCut | null {
    const progress = this.#progress.get(response);
    if (progress === undefined) {
      this.#progress.set(response, { beganAtMs: nowMs, movedAtMs: nowMs, written });
      return null;
    }
    const isOpenEnded = this.#options.isOpenEnded(response);
    const hasPaused = isOpenEnded && response.writableLength === 0;
    if (written !== progress.written || hasPaused) {
      progress.written = written;
      progress.movedAtMs = nowMs;
    }
    if (nowMs - progress.movedAtMs >= this.#options.stallMs) return 'stalled';
    return !isOpenEnded && nowMs - progress.beganAtMs >= this.#options.deadlineMs ? 'deadline' : null;
  }
}
