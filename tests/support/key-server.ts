import { createServer } from 'node:http';
import type { KeyObject } from 'node:crypto';
import type { AddressInfo } from 'node:net';

/** An identity provider's key server, as far as anyone can see from outside. */
export interface KeyServer {
  readonly url: string;
  /** Requests for keys so far, refused ones included. */
  readonly fetches: number;
  /** Publishes these public keys, by their ids, in place of earlier ones. */
  publish(keys: Readonly<Record<string, KeyObject>>): void;
  /** What it answers with until the next `publish`; `hang up`: nothing at all. */
  fail(how: 'status 500' | 'hang up' | 'nonsense'): void;
  close(): Promise<void>;
}

export const startKeyServer = async (): Promise<KeyServer> => {
  let keys: readonly object[] = [];
  let failure: Parameters<KeyServer['fail']>[0] | null = null;
  let fetches = 0;
  const server = createServer((request, response) => {
    fetches += 1;
    if (failure === 'hang up') {
      request.socket.destroy();
      return;
    }
    if (failure === 'status 500') response.statusCode = 500;
    response.setHeader('content-type', 'application/json');
    response.end(failure === 'nonsense' ? '{"keys": "none"}' : JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  // A TCP server that listens has an address that is an object.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/keys`,
    get fetches() {
      return fetches;
    },
    publish: (published) => {
      failure = null;
      keys = Object.entries(published).map(([kid, key]) => ({
        ...key.export({ format: 'jwk' }),
        kid,
        use: 'sig',
      }));
    },
    fail: (how) => {
      failure = how;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
