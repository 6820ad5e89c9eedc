import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface ListeningServer {
  /** With the port that was really bound. */
  readonly url: string;
  /** Stops accepting, and resolves when the last request has been answered. */
  close(): Promise<void>;
  /** Cuts what is still open. */
  closeNow(): void;
}

/**
 * What a client may take of the service before it has asked for anything. Measured against the slowest honest request:
 * 1 MiB within 30 s, an answer of some minutes while a database is made.
 */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** Node looks for overdue requests so often; its default of 30 s would double the two deadlines above. */
  connectionsCheckingInterval: 1000,
  /** Above the usual minute of a load balancer, so that it is the one that closes: no request meets a closing socket. */
  keepAliveTimeout: 65_000,
  /** All headers together. A token has 8 KiB at most. */
  maxHeaderSize: 16 * 1024,
  /** A socket on which nothing moves, in either direction. A client that does not read its answer would keep a lease. */
  idleSocketTimeout: 120_000,
} as const;

/** How long a stop waits for the first request of a connection. */
const FIRST_REQUEST_GRACE_MS = 1000;

/** How long a client may go on sending what has been answered. */
const LINGER_MS = 5000;

export interface ListenOptions {
  /**
   * The response to bytes that Node could not read as a request, headers included. Left out: Node answers a bare line.
   *
   * @param requestId of the request that had begun, if one had
   */
  readonly answerClientError?: (error: Error, requestId?: string) => string;
  readonly limits?: Partial<Record<keyof typeof LIMITS, number>>;
  /** What requests and responses are made of; Node's own by default. */
  readonly messages?: Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'>;
}

/** Rejects when the address cannot be bound. */
export const listen = async (
  app: RequestListener,
  host: string,
  port: number,
  { answerClientError, limits = {}, messages = {} }: ListenOptions = {},
): Promise<ListeningServer> => {
  const { idleSocketTimeout, ...serverLimits } = { ...LIMITS, ...limits };
  let closing = false;
  const latest: Exchanges = new Map();
  const serve: RequestListener = (request, response) => {
    // An earlier answer said that the connection ends: this request must not be acted on (RFC 9112, 9.6).
    if (isLingering(request.socket)) return;
    const exchange = { request, response };
    latest.set(request.socket, exchange);
    response.on('close', () => {
      if (isOver(exchange) && latest.get(request.socket) === exchange) latest.set(request.socket, null);
      // The client may keep the connection; the server's close waits for connections, not for requests.
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
    app(request, response);
  };
  // Node refuses a request without a host by a bare line; the app checks the host itself.
  const server = createServer({ ...serverLimits, ...messages, requireHostHeader: false }, serve);
  server.setTimeout(idleSocketTimeout);
  // Node would drop headers beyond 2000 in silence; `maxHeaderSize` limits them anyway.
  server.maxHeadersCount = 0;
  // `maxRequestsPerSocket` stays unlimited: a limit answers requests under way with 503.
  server.on('connection', (socket) => {
    latest.set(socket, null);
    socket.once('close', () => latest.delete(socket));
    lingerOverBodies(socket, latest);
  });
  if (answerClientError !== undefined) answerUnreadable(server, latest, answerClientError);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${boundPort(server)}`,
    close: () =>
      new Promise((resolve, reject) => {
        closing = true;
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        // Keep-alive connections without a request would hold the server open until they time out.
        server.closeIdleConnections();
        for (const exchange of latest.values())
          if (exchange?.response.headersSent === false) exchange.response.shouldKeepAlive = false;
        // So would connections that never had a request, such as health checks of the port. Their first request may
        // be on its way.
        setTimeout(() => {
          for (const [socket, exchange] of latest) if (exchange === null) socket.destroy();
        }, FIRST_REQUEST_GRACE_MS).unref();
      }),
    closeNow: () => server.closeAllConnections(),
  };
};

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** The latest exchange of each connection; null between requests, and before the first one is whole. */
type Exchanges = Map<Socket, Exchange | null>;

/** False while the rest of a body that was answered early may still come. */
const isOver = ({ request, response }: Exchange): boolean => request.complete && response.closed;

/**
 * Lets a client send the rest of its request when the connection is to end with an answer that came before that. A closed
 * socket would answer the rest by a reset, and the client would lose the answer with it.
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

/** Whether the last answer is given, and the socket stays open only for what the client still sends. */
const isLingering = (socket: Socket): boolean => socket.writableEnded;

/** Answers what Node could not read, in place of Node's own answer of one line. */
const answerUnreadable = (
  server: Server,
  latest: Exchanges,
  answerClientError: NonNullable<ListenOptions['answerClientError']>,
): void => {
  server.on('clientError', (error, stream) => {
    // The types allow for other streams, but an HTTP server over TCP has sockets alone.
    const socket = stream as Socket;
    const last = latest.get(socket) ?? null;
    const exchange = last !== null && isOver(last) ? null : last;
    // The refusal must not be mixed into the answer to an earlier request, nor into an answer that has begun.
    const isBusy = exchange !== null && (exchange.request.complete || exchange.response.headersSent);
    if (isBusy || !socket.writable || isReset(error)) {
      socket.destroy();
      return;
    }
    const requestId = exchange?.response.getHeader('X-Request-Id');
    const answer =
      typeof requestId === 'string' ? answerClientError(error, requestId) : answerClientError(error);
    socket.end(answer, () => socket.destroy());
  });
};

const isReset = (error: Error): boolean => 'code' in error && error.code === 'ECONNRESET';

const boundPort = (server: Server): number => {
  // The address of a TCP server that listens is an object.
  const address = server.address() as AddressInfo;
  return address.port;
};
