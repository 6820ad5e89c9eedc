import type { ApiAnswer, ApiCall, ApiClient, Upload } from '../rest/api-client.ts';
import { ApiError } from '../rest/api-error.ts';

export interface IssuedToken {
  readonly access_token: string;
  /** Seconds; null: it is not known, and the token is used until it is refused. */
  readonly expires_in: number | null;
}

/** A token is replaced when this part of its life is over. */
const USED_LIFE = 0.8;

/** A token that is replaced before it ends: a job may take longer than its worker's token is good. */
export class AccessToken {
  readonly #issue: () => Promise<IssuedToken>;
  readonly #nowMs: () => number;
  #current: Promise<{ readonly text: string; readonly replaceAtMs: number }> | null = null;

  constructor(issue: () => Promise<IssuedToken>, nowMs: () => number = () => performance.now()) {
    this.#issue = issue;
    this.#nowMs = nowMs;
  }

  /** Callers that come at once share one new token. @throws {ApiError} when the credentials are refused */
  async text(): Promise<string> {
    const current = (this.#current ??= this.#renew());
    try {
      const { text, replaceAtMs } = await current;
      if (this.#nowMs() < replaceAtMs) return text;
    } catch (error) {
      this.#drop(current);
      throw error;
    }
    this.#drop(current);
    return this.text();
  }

  /** Says that the service refuses the token. */
  async refused(text: string): Promise<void> {
    const current = this.#current;
    if (current !== null && (await current).text === text) this.#drop(current);
  }

  #drop(current: unknown): void {
    if (this.#current === current) this.#current = null;
  }

  async #renew() {
    const startedMs = this.#nowMs();
    const { access_token, expires_in } = await this.#issue();
    const lifeMs = expires_in === null ? Number.POSITIVE_INFINITY : expires_in * 1000;
    // At least one use: a life of zero would renew for ever.
    return { text: access_token, replaceAtMs: startedMs + Math.max(lifeMs * USED_LIFE, MIN_USE_MS) };
  }
}

const MIN_USE_MS = 1000;

type WithoutToken<Call> = Omit<Call, 'token'>;

/** Calls the service with a token, and once more with a new one when it is refused. */
export class AuthorizedApi {
  readonly #api: ApiClient;
  readonly #token: AccessToken;
  readonly #headers: () => Readonly<Record<string, string>>;

  constructor(
    api: ApiClient,
    token: AccessToken,
    headers: () => Readonly<Record<string, string>> = () => ({}),
  ) {
    this.#api = api;
    this.#token = token;
    this.#headers = headers;
  }

  /** The same, with further headers on every request. @param headers asked for at each request */
  withHeaders(headers: () => Readonly<Record<string, string>>): AuthorizedApi {
    return new AuthorizedApi(this.#api, this.#token, headers);
  }

  call<Reply>(call: WithoutToken<ApiCall<Reply>>): Promise<ApiAnswer<Reply>> {
    return this.#authorized((token) => this.#api.call(this.#complete(call, token)));
  }

  upload<Reply>(upload: WithoutToken<Upload<Reply>>): Promise<ApiAnswer<Reply>> {
    return this.#authorized((token) => this.#api.upload(this.#complete(upload, token)));
  }

  download(request: WithoutToken<Parameters<ApiClient['download']>[0]>): Promise<AsyncIterable<Uint8Array>> {
    return this.#authorized((token) => this.#api.download(this.#complete(request, token)));
  }

  #complete<Call extends { readonly headers?: Readonly<Record<string, string>> }>(call: Call, token: string) {
    return { ...call, token, headers: { ...call.headers, ...this.#headers() } };
  }

  async #authorized<Answer>(send: (token: string) => Promise<Answer>): Promise<Answer> {
    const token = await this.#token.text();
    try {
      return await send(token);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      await this.#token.refused(token);
      return send(await this.#token.text());
    }
  }
}
