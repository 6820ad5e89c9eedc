import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request and its response. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A connection with more requests ahead of their answers is closed. Browsers and libraries send none ahead. */
const MAX_WAITING = 100;

/**
 * Serves the requests of one connection one after another. Node would run pipelined requests at once, and emits no `close`
 * for the responses whose connection ends before they come first: leases and all else that they hold would never be given
 * back. So a request that waits holds nothing.
 */
export class PipelinedRequests {
  readonly #serve: (exchange: Exchange) => void;
  /** How many requests wait on each connection. */
  readonly #waiting = new WeakMap<IncomingMessage['socket'], number>();

  constructor(serve: (exchange: Exchange) => void) {
    this.#serve = serve;
  }

  /** @param previous the request before it on the same connection, which may wait itself */
  serveAfter(previous: Exchange, exchange: Exchange): void {
    const { socket } = exchange.request;
    const waiting = (this.#waiting.get(socket) ?? 0) + 1;
    if (waiting > MAX_WAITING) {
      socket.destroy();
      return;
    }
    this.#waiting.set(socket, waiting);
    previous.response.once('close', () => {
      this.#waiting.set(socket, (this.#waiting.get(socket) ?? 1) - 1);
      if (!socket.destroyed) this.#serve(exchange);
    });
  }
}
