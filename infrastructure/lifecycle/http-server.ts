import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ListeningServer {
  /** With the port that was really bound. */
  readonly url: string;
  /** Stops accepting, and resolves when the last request has been answered. */
  close(): Promise<void>;
  /** Cuts what is still open. */
  closeNow(): void;
}

/** Slow clients: headers within 10 s, the whole request within 30 s. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Rejects when the address cannot be bound. */
export const listen = async (app: RequestListener, host: string, port: number): Promise<ListeningServer> => {
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    app,
  );
  let closing = false;
  server.on('request', (_request, response) => {
    response.once('close', () => {
      // The client may want to keep the connection; the server waits for connections, not for requests.
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
  });
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
      }),
    closeNow: () => server.closeAllConnections(),
  };
};

const boundPort = (server: Server): number => {
  // A TCP server that listens has an address that is an object.
  const address = server.address() as AddressInfo;
  return address.port;
};
