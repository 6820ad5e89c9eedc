import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import {
  listen,
  type ListeningServer,
  type ListenOptions,
} from '../../infrastructure/lifecycle/http-server.ts';
import { answerClientError } from '../../presentation/http/client-error.ts';
import { messageClasses } from '../../presentation/http/message-classes.ts';
import { createRouteTable } from '../../presentation/http/route-table.ts';
import type { Route } from '../../presentation/http/route.ts';
import type { Deployment } from './deployment.ts';
import { checkReply } from './reply-check.ts';

export interface Reply<Body> {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parsed when it is JSON, else null. The checks of each test say what is in it. */
  readonly body: Body;
}

export interface CallOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sent as JSON; a string or a buffer as it is. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';

/** What one token may ask for. */
export interface Caller {
  get<Body>(path: string, headers?: CallOptions['headers']): Promise<Reply<Body>>;
  post<Body>(path: string, body?: unknown, headers?: CallOptions['headers']): Promise<Reply<Body>>;
  put<Body>(path: string, body?: unknown, headers?: CallOptions['headers']): Promise<Reply<Body>>;
  patch<Body>(path: string, body?: unknown, headers?: CallOptions['headers']): Promise<Reply<Body>>;
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\b/;

/** Sends one request with its path as it is: unlike `fetch`, dots and quotes reach the server. */
export const send = async <Body>(
  url: string,
  method: Method,
  path: string,
  { token, headers = {}, body, signal }: CallOptions = {},
  agent?: Agent,
): Promise<Reply<Body>> => {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  const payload = body === undefined || isRaw ? body : JSON.stringify(body);
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        method,
        path,
        ...(agent && { agent }),
        ...(signal && { signal }),
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(payload !== undefined && {
            'content-type': 'application/json',
            'content-length': String(Buffer.byteLength(payload)),
          }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const isJson = JSON_TYPE.test(response.headers['content-type'] ?? '') && text !== '';
          const parsed: Body = isJson ? JSON.parse(text) : null;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed });
        });
      },
    );
    sent.on('error', reject);
    sent.end(payload);
  });
};

/**
 * The service on a port, over one container of a deployment. Whatever it answers, in whichever test, is held against
 * the documentation of its route, and every error against the contract.
 */
export class HttpService {
  readonly container: Container;
  readonly routes: readonly Route[];
  readonly #server: ListeningServer;
  readonly #agent = new Agent({ keepAlive: true });
  /** Names that no error may mention to a member of another organization. */
  readonly #organizations: readonly string[];

  private constructor(container: Container, server: ListeningServer, organizations: readonly string[]) {
    this.container = container;
    this.#server = server;
    this.#organizations = organizations;
    this.routes = createRouteTable(container.get(TOKENS.httpDependencies));
  }

  static async start(
    deployment: Deployment,
    organizations: readonly string[] = [],
    settings: Readonly<Record<string, string>> = {},
  ): Promise<HttpService> {
    return HttpService.over(deployment, deployment.start(settings), organizations);
  }

  /** Over a container that a test has put things of its own into. */
  static async over(
    deployment: Deployment,
    container: Container,
    organizations: readonly string[] = [],
    limits: NonNullable<ListenOptions['limits']> = {},
  ): Promise<HttpService> {
    const app = deployment.app(container);
    await container.get(TOKENS.changeFeed).start();
    const refusal = answerClientError(container.get(TOKENS.httpDependencies));
    const messages = messageClasses(app);
    const server = await listen(app, '127.0.0.1', 0, { answerClientError: refusal, limits, messages });
    return new HttpService(container, server, organizations);
  }

  get url(): string {
    return this.#server.url;
  }

  async call<Body>(method: Method, path: string, options: CallOptions = {}): Promise<Reply<Body>> {
    const reply = await send<Body>(this.url, method, path, options, this.#agent);
    checkReply(reply, { method, path, options, routes: this.routes, organizations: this.#organizations });
    return reply;
  }

  as(token: string): Caller {
    return {
      get: (path, headers = {}) => this.call('GET', path, { token, headers }),
      post: (path, body, headers = {}) => this.call('POST', path, { token, headers, body }),
      put: (path, body, headers = {}) => this.call('PUT', path, { token, headers, body }),
      patch: (path, body, headers = {}) => this.call('PATCH', path, { token, headers, body }),
    };
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    await this.#server.close();
    await this.container.get(TOKENS.changeFeed).close();
  }
}
