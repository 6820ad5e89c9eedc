import { Agent } from 'node:http';
import type { Container } from 'inversify';
import type { LocalDuties } from '../../infrastructure/composition/start-duties.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import {
  listen,
  type ListeningServer,
  type ListenOptions,
} from '../../infrastructure/http-server/http-server.ts';
import { answerClientError } from '../../presentation/http/errors/client-error.ts';
import { isOpenEnded, noteCut } from '../../presentation/http/request/access-log.ts';
import { messageClasses } from '../../presentation/http/request/message-classes.ts';
import { createRouteTable } from '../../presentation/http/route-table.ts';
import type { Route } from '../../presentation/http/routing/route.ts';
import type { Deployment } from './deployment.ts';
import { checkReply } from './reply-check.ts';
import { send, type CallOptions, type Method, type Reply } from './send.ts';

/** What one token may ask for. */
export interface Caller {
  get<Body>(path: string, headers?: CallOptions['headers']): Promise<Reply<Body>>;
  post<Body>(path: string, body?: unknown, headers?: CallOptions['headers']): Promise<Reply<Body>>;
  put<Body>(path: string, body?: unknown, headers?: CallOptions['headers']): Promise<Reply<Body>>;
  patch<Body>(path: string, body?: unknown, headers?: CallOptions['headers']): Promise<Reply<Body>>;
}

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
    const server = await listen(app, '127.0.0.1', 0, {
      answerClientError: refusal,
      limits,
      messages,
      onCut: noteCut,
      isOpenEnded,
    });
    return new HttpService(container, server, organizations);
  }

  /** As an operator starts it: with all its loops. `close` stops it. */
  static async running(
    container: Container,
    organizations: readonly string[] = [],
    duties: LocalDuties | null = null,
  ): Promise<HttpService> {
    const { url, stop } = await container.get(TOKENS.service).start(duties);
    const close = async (): Promise<void> => void (await stop());
    return new HttpService(container, { url, close, closeNow: () => undefined }, organizations);
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
