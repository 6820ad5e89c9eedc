import { once } from 'node:events';
import { createServer, Socket, type AddressInfo, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from './deployment.ts';
import { Gate } from './gate.ts';

/** The network between the service and a PostgreSQL server, which a test can make fail. Passes bytes through at first. */
export interface TcpProxy {
  readonly host: string;
  /** The same for the proxy's whole life, refusing included. */
  readonly port: number;
  /** Connections accepted so far. */
  readonly connects: number;
  /** Connections now that their client has not ended. */
  readonly open: number;
  /** That the server has sent so far. */
  readonly bytesFromServer: number;
  /** Chunks that clients have sent so far. What a client writes at once, and is small, is one. */
  readonly chunksFromClients: number;
  /** The address of the same database, through the proxy. */
  urlOf(databaseUrl: string): string;
  /** Like a network that drops packets: connects are accepted and get no answer; bytes and goodbyes are held, both ways. */
  stall(): void;
  /** Stalls when a client sends this text, which does not pass any more. */
  stallAt(text: string): void;
  /** From now on each connect, and each chunk of bytes either way, takes that long. */
  delay(milliseconds: number): void;
  /** Ends every open connection with a RST, towards client and server; returns how many. New ones are taken. */
  reset(): number;
  /** Stops listening: whoever connects is refused. Open connections stay. */
  refuse(): void;
  /** Back to normal: listens again, lets go what was held, no delay. */
  resume(): Promise<void>;
  /** Resets what is open and stops listening. Safe to call twice. */
  close(): void;
}

const HOST = '127.0.0.1';

/** Starts a proxy on a free port before the server of a database URL. Close it. */
export const startTcpProxy = async (databaseUrl: string): Promise<TcpProxy> => {
  const proxy = new Proxy(new URL(databaseUrl));
  await proxy.resume();
  return proxy;
};

/** Settings for `start`: the deployment's metadata database, its results databases, or both, through a proxy. */
export const throughProxies = (
  { environment }: Pick<Deployment, 'environment'>,
  proxies: { readonly metadata?: TcpProxy; readonly results?: TcpProxy },
): Record<string, string> => {
  const { DB_DATABASE_URL: metadataUrl = '', DB_RESULTS_DB_TEMPLATE: template = '' } = environment;
  return {
    ...(proxies.metadata && { DB_DATABASE_URL: proxies.metadata.urlOf(metadataUrl) }),
    ...(proxies.results && { DB_RESULTS_DB_TEMPLATE: proxies.results.urlOf(template) }),
  };
};

class Proxy implements TcpProxy {
  readonly host = HOST;
  connects = 0;
  bytesFromServer = 0;
  chunksFromClients = 0;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #clients = new Set<Socket>();
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  #delayMs = 0;
  #stallingText: string | null = null;
  /** Shut while stalled; null when everything passes. */
  #gate: Gate | null = null;

  constructor(target: URL) {
    this.#target = { host: target.hostname.replaceAll(/[[\]]/g, ''), port: Number(target.port || 5432) };
  }

  get port(): number {
    return this.#port;
  }

  get open(): number {
    return this.#clients.size;
  }

  urlOf(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.host = `${HOST}:${this.#port}`;
    return url.href;
  }

  stall(): void {
    this.#gate ??= new Gate();
  }

  stallAt(text: string): void {
    this.#stallingText = text;
  }

  delay(milliseconds: number): void {
    this.#delayMs = milliseconds;
  }

  reset(): number {
    const open = this.#clients.size;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#clients.clear();
    return open;
  }

  refuse(): void {
    this.#server?.close();
    this.#server = null;
  }

  async resume(): Promise<void> {
    this.#delayMs = 0;
    this.#stallingText = null;
    this.#letGo();
    if (this.#server !== null) return;
    const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    server.listen(this.#port, HOST);
    await once(server, 'listening');
    this.#server = server;
    // What a server that listens on a port answers.
    this.#port = (server.address() as AddressInfo).port;
  }

  close(): void {
    this.refuse();
    this.reset();
    this.#letGo();
  }

  #accept(client: Socket): void {
    this.connects += 1;
    const upstream = new Socket({ allowHalfOpen: true });
    this.#clients.add(client);
    client.once('end', () => this.#clients.delete(client));
    client.once('close', () => this.#clients.delete(client));
    upstream.on('data', ({ length }: Buffer) => {
      this.bytesFromServer += length;
    });
    client.on('data', (chunk: Buffer) => {
      this.chunksFromClients += 1;
      if (this.#stallingText !== null && chunk.includes(this.#stallingText)) this.stall();
    });
    const connected = this.#mayPass().then(() => {
      if (!upstream.destroyed) upstream.connect(this.#target);
    });
    this.#pump(client, upstream, connected);
    this.#pump(upstream, client, connected);
  }

  /** One direction, in order: what comes waits until it may pass. A reset on one side is one on the other. */
  #pump(from: Socket, to: Socket, connected: Promise<void>): void {
    let turn = connected;
    const pass = (act: () => void): void => {
      turn = turn
        .then(() => this.#mayPass())
        .then(() => {
          if (!to.destroyed) act();
        });
    };
    this.#sockets.add(from);
    from.once('close', () => this.#sockets.delete(from));
    from.setNoDelay(true);
    from.on('error', () => to.resetAndDestroy());
    from.on('data', (chunk: Buffer) => pass(() => to.write(chunk)));
    from.on('end', () => pass(() => to.end()));
  }

  #letGo(): void {
    this.#gate?.open();
    this.#gate = null;
  }

  async #mayPass(): Promise<void> {
    if (this.#delayMs > 0) await sleep(this.#delayMs);
    while (this.#gate !== null) await this.#gate.opened;
  }
}
