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
 * What a client may take of the service without having asked for anything yet. Measured against the slowest honest
 * request: 1 MiB within 30 s, an answer of some minutes while a database is made.
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
  /** A socket on which nothing moves, in either direction: whoever does not read an answer does not keep its lease. */
  idleSocketTimeout: 120_000,
} as const;

/** How long a stop waits for the first request of a connection. */
const FIRST_REQUEST_GRACE_MS = 1000;

/** How long a client may go on sending what has been answered. */
const LINGER_MS = 5000;

export interface ListenOptions {
  /**
   * The response to what Node could not read as a request, headers included. Left out: Node answers a bare line.
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
    // Behind a request whose answer said that the connection ends: not to be acted on (RFC 9112, 9.6).
    if (isLingering(request.socket)) return;
    const exchange = { request, response };
    latest.set(request.socket, exchange);
    response.on('close', () => {
      if (isOver(exchange) && latest.get(request.socket) === exchange) latest.set(request.socket, null);
      // The client may want to keep the connection; the server waits for connections, not for requests.
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
    app(request, response);
  };
  // Node's own refusal of a request without a host is a bare line; the app looks for itself.
  const server = createServer({ ...serverLimits, ...messages, requireHostHeader: false }, serve);
  server.setTimeout(idleSocketTimeout);
  // Beyond 2000 Node would drop headers in silence; their size is limited anyway.
  server.maxHeadersCount = 0;
  // `maxRequestsPerSocket` stays unlimited: balancing is the balancer's, and a limit answers requests under way with 503.
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
        // So would those that never had one, as health checks of the port; a first request may be on its way there.
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

/** What a connection is about; null between requests, and before the first one is whole. */
type Exchanges = Map<Socket, Exchange | null>;

/** The rest of a body that was answered early may still come, or not come in time. */
const isOver = ({ request, response }: Exchange): boolean => request.complete && response.closed;

/**
 * Where a connection is to end with an answer that came before the whole request, lets the client send the rest: its bytes
 * would be answered by a reset, and the answer be lost with it.
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

/** Whether its last answer is given, and it is kept for what the client still sends. */
const isLingering = (socket: Socket): boolean => socket.writableEnded;

/** In place of Node's own answers of one line. */
const answerUnreadable = (
  server: Server,
  latest: Exchanges,
  answerClientError: NonNullable<ListenOptions['answerClientError']>,
): void => {
  server.on('clientError', (error, stream) => {
    // The types allow for other streams than the sockets that a server of this kind has.
    const socket = stream as Socket;
    const last = latest.get(socket) ?? null;
    const exchange = last !== null && isOver(last) ? null : last;
    // A whole request before this one, or an answer that has begun, must not be mixed with the refusal.
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
  // A TCP server that listens has an address that is an object.
  const address = server.address() as AddressInfo;
  return address.port;
};
