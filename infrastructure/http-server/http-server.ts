import {
  createServer,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AnswerWatch, type AnswerWatchOptions } from './answer-watch.ts';
import { PipelinedRequests, type Exchange } from './pipelined-requests.ts';
import { urlHost } from './listening-address.ts';

export interface ListeningServer {
  /** Reaches the server from this machine. Holds the port that was bound, also when port 0 was asked for. */
  readonly url: string;
  /** Stops accepting connections. Resolves when all requests are answered and all connections are closed. */
  close(): Promise<void>;
  /** Destroys the connections that are still open. */
  closeNow(): void;
}

/**
 * Limits for every client, before authentication. They allow the slowest legitimate request: a body of 1 MiB in 30 s,
 * and an answer that takes minutes because a database is being created.
 */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** Node checks the two deadlines above at this interval. Its default of 30 s would double them. */
  connectionsCheckingInterval: 1000,
  /** Longer than a load balancer's usual 60 s: the balancer closes first and never uses a closing socket. */
  keepAliveTimeout: 65_000,
  /** Bytes of all headers together. A token has 8 KiB at most. */
  maxHeaderSize: 16 * 1024,
  /** Closes a socket without traffic in either direction. */
  idleSocketTimeout: 120_000,
  /** Closes the connection of a client that takes nothing of its answer. */
  stalledAnswer: 20_000,
  /** Limits one whole answer, from its first byte. Below the deadline of leases, which requests hold that long. */
  wholeAnswer: 240_000,
} as const;

/** `close` waits this long for the first request of an open connection. */
const FIRST_REQUEST_GRACE_MS = 1000;

/** After an early answer the client may send the rest of its body for this long. */
const LINGER_MS = 5000;

export interface ListenOptions {
  /**
   * Makes the whole response, with headers, to bytes that Node cannot parse. Default: Node answers a status line.
   *
   * @param response to the request that had already begun on the connection, if any
   */
  readonly answerClientError?: (error: Error, response?: ServerResponse) => string;
  readonly limits?: Partial<Record<keyof typeof LIMITS, number>>;
  /** Called before a connection is closed in the middle of an answer. */
  readonly onCut?: AnswerWatchOptions['onCut'];
  /** Default: every answer has an end. */
  readonly isOpenEnded?: AnswerWatchOptions['isOpenEnded'];
  /** Classes of requests and responses. Default: Node's. */
  readonly messages?: Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'>;
}

/** Starts a server and resolves when it listens. Rejects when the address cannot be bound. */
export const listen = async (
  app: RequestListener,
  host: string,
  port: number,
  {
    answerClientError,
    limits = {},
    messages = {},
    onCut = () => undefined,
    isOpenEnded = () => false,
  }: ListenOptions = {},
): Promise<ListeningServer> => {
  const { idleSocketTimeout, stalledAnswer, wholeAnswer, ...serverLimits } = { ...LIMITS, ...limits };
  let closing = false;
  const latest: Exchanges = new Map();
  const served = new Set<Exchange>();
  const serve = (exchange: Exchange): void => {
    const { request, response } = exchange;
    const { socket } = request;
    // The last answer announced the end of the connection, so this request must not be executed (RFC 9112, 9.6).
    if (isLingering(socket)) return;
    served.add(exchange);
    response.on('close', () => {
      served.delete(exchange);
      if (isOver(exchange) && latest.get(socket) === exchange) latest.set(socket, null);
      // `server.close` waits for connections, not for requests: a keep-alive connection would hold it open.
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
    app(request, response);
  };
  const pipelined = new PipelinedRequests(serve);
  const receive: RequestListener = (request, response) => {
    const exchange = { request, response };
    const previous = latest.get(request.socket) ?? null;
    latest.set(request.socket, exchange);
    if (previous === null || previous.response.closed) serve(exchange);
    else pipelined.serveAfter(previous, exchange);
  };
  // The app checks the host header, because Node's refusal would be a bare status line.
  const server = createServer({ ...serverLimits, ...messages, requireHostHeader: false }, receive);
  // The app asks for the body when it wants it, and refuses other expectations: Node would answer without a body.
  server.on('checkContinue', receive);
  server.on('checkExpectation', receive);
  server.setTimeout(idleSocketTimeout);
  // By default Node drops headers beyond 2000 without an error. `maxHeaderSize` already limits them.
  server.maxHeadersCount = 0;
  // `maxRequestsPerSocket` stays unlimited: with a limit Node answers pipelined requests with 503.
  server.on('connection', (socket) => {
    latest.set(socket, null);
    socket.once('close', () => latest.delete(socket));
    lingerOverBodies(socket, latest);
  });
  if (answerClientError !== undefined) answerUnreadable(server, latest, served, answerClientError);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const watch = new AnswerWatch(served, {
    stallMs: stalledAnswer,
    deadlineMs: wholeAnswer,
    isOpenEnded,
    onCut,
  });
  server.once('close', () => watch.close());
  return {
    url: `http://${urlHost(host)}:${boundPort(server)}`,
    close: () =>
      new Promise((resolve, reject) => {
        closing = true;
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        // Keep-alive connections without a request would hold the server open until they time out.
        server.closeIdleConnections();
        for (const exchange of latest.values())
          if (exchange?.response.headersSent === false) exchange.response.shouldKeepAlive = false;
        // So would connections without any request (TCP health checks). A first request may still arrive.
        setTimeout(() => {
          for (const [socket, exchange] of latest) if (exchange === null) socket.destroy();
        }, FIRST_REQUEST_GRACE_MS).unref();
      }),
    closeNow: () => server.closeAllConnections(),
  };
};

/** The current exchange of each connection; null between requests, and before the first request is parsed. */
type Exchanges = Map<Socket, Exchange | null>;

/** False while the rest of a request's body may still arrive, even when the answer is complete. */
const isOver = ({ request, response }: Exchange): boolean => request.complete && response.closed;

/**
 * Delays the end of a connection whose request was answered before its body was complete (lingering close). Bytes that
 * arrive at a closed socket cause a reset, and the client would lose the answer.
 */
const lingerOverBodies = (socket: Socket, latest: Exchanges): void => {
  const destroySoon = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    const request = latest.get(socket)?.request;
    if (request === undefined || request.complete) return destroySoon();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.once('close', () => clearTimeout(timer));
    request.once('end', () => socket.destroy());
  };
};

/** Whether the server has sent its last answer on this socket and only reads the rest of the body. */
const isLingering = (socket: Socket): boolean => socket.writableEnded;

/** Replaces Node's answer to bytes that it cannot parse. */
const answerUnreadable = (
  server: Server,
  latest: Exchanges,
  served: ReadonlySet<Exchange>,
  answerClientError: NonNullable<ListenOptions['answerClientError']>,
): void => {
  server.on('clientError', (error, stream) => {
    // The types allow any stream; the streams of a TCP server are sockets.
    const socket = stream as Socket;
    const last = latest.get(socket) ?? null;
    const exchange = last !== null && isOver(last) ? null : last;
    // The refusal must not be mixed into the answer to a complete request, or into an answer that has begun. A request that
    // is not served yet waits for the answer to another.
    const isBusy =
      exchange !== null &&
      (exchange.request.complete || exchange.response.headersSent || !served.has(exchange));
    if (isBusy || !socket.writable || isReset(error)) {
      socket.destroy();
      return;
    }
    socket.end(answerClientError(error, exchange?.response), () => socket.destroy());
  });
};

const isReset = (error: Error): boolean => 'code' in error && error.code === 'ECONNRESET';

const boundPort = (server: Server): number => {
  // The address of a TCP server that listens is an object.
  const address = server.address() as AddressInfo;
  return address.port;
};
