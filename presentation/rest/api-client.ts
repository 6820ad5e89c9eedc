import { z } from 'zod';
import { ApiError } from './api-error.ts';

interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Any other status is a failure. */
  readonly expect: readonly number[];
  /** Ends the call early. */
  readonly signal?: AbortSignal;
  /** For the whole answer. */
  readonly timeoutMs?: number;
}

export interface ApiCall<Reply> extends Request {
  /** Sent as JSON. */
  readonly body?: object;
  readonly reply: z.ZodType<Reply>;
}

export interface Upload<Reply> extends Request {
  /** Sent as they are. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly reply: z.ZodType<Reply>;
}

export interface ApiAnswer<Reply> {
  readonly status: number;
  readonly body: Reply;
}

const TIMEOUT_MS = 60_000;

export const problem = z.object({ code: z.string(), detail: z.string() });

/** Calls the service over HTTP, as any REST client does. Rejects with what `fetch` rejects with when nobody answers. */
export class ApiClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** @throws {ApiError} with the code and the detail of the answer, when its status or its form is not expected */
  call<Reply>({ body, reply, ...request }: ApiCall<Reply>): Promise<ApiAnswer<Reply>> {
    if (body === undefined) return this.#exchange(request, reply);
    const headers = { ...request.headers, 'Content-Type': 'application/json' };
    return this.#exchange({ ...request, headers, content: JSON.stringify(body) }, reply);
  }

  /** @throws {ApiError} as `call` does */
  upload<Reply>({ bytes, reply, ...request }: Upload<Reply>): Promise<ApiAnswer<Reply>> {
    return this.#exchange({ ...request, content: bytes }, reply);
  }

  /**
   * The chunks of a body that is no JSON.
   *
   * @throws {ApiError} as `call` does
   */
  async download(request: Request): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#send(request);
    if (!request.expect.includes(response.status))
      throw unexpected(request, response, parseJson(await response.text()));
    return response.body ?? nothing();
  }

  async #exchange<Reply>(
    request: Request & { readonly content?: string | Uint8Array<ArrayBuffer> },
    reply: z.ZodType<Reply>,
  ): Promise<ApiAnswer<Reply>> {
    const response = await this.#send(request);
    const text = await response.text();
    const answer = text === '' ? {} : parseJson(text);
    if (!request.expect.includes(response.status)) throw unexpected(request, response, answer);
    const known = reply.safeParse(answer);
    if (!known.success) throw strange(request, response, known.error);
    return { status: response.status, body: known.data };
  }

  #send({
    method,
    path,
    token,
    headers,
    content,
    signal,
    timeoutMs = TIMEOUT_MS,
  }: Request & { readonly content?: string | Uint8Array<ArrayBuffer> }): Promise<Response> {
    const deadline = AbortSignal.timeout(timeoutMs);
    return fetch(`${this.#url}${path}`, {
      method,
      headers: { ...headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
      ...(content !== undefined && { body: content }),
      signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
    });
  }
}

const unexpected = ({ method, path, expect }: Request, response: Response, answer: unknown): ApiError => {
  const known = problem.safeParse(answer);
  const reason = known.success ? `${known.data.code}: ${known.data.detail}` : JSON.stringify(answer);
  return new ApiError(
    `${method} ${path} answered ${response.status} instead of ${expect.join(' or ')} (${reason})`,
    { status: response.status, code: known.data?.code ?? null, retryAfterMs: retryAfterMs(response) },
  );
};

const strange = ({ method, path }: Request, { status }: Response, error: z.ZodError): ApiError =>
  new ApiError(
    `${method} ${path} answered ${status} with what is no such answer: ${z.prettifyError(error)}`,
    { status, code: null, retryAfterMs: null },
  );

/** A proxy answers with a page. */
const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, MAX_SHOWN);
  }
};

const MAX_SHOWN = 200;

const retryAfterMs = (response: Response): number | null => {
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
};

const nothing = async function* (): AsyncGenerator<Uint8Array> {};
