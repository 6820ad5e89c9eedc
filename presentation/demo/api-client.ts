import { z } from 'zod';
import { DemoError } from './demo-error.ts';

export interface ApiCall<Reply> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Any other status is a failure. */
  readonly expect: readonly number[];
  readonly reply: z.ZodType<Reply>;
}

export interface ApiAnswer<Reply> {
  readonly status: number;
  readonly body: Reply;
}

const TIMEOUT_MS = 60_000;

export const problem = z.object({ code: z.string(), detail: z.string() });

/** Calls the service over HTTP, as any REST client does. */
export class ApiClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** @throws {DemoError} with the code and the detail of the answer, when its status is not expected */
  async call<Reply>(call: ApiCall<Reply>): Promise<ApiAnswer<Reply>> {
    const { method, path, token, headers, body, expect, reply } = call;
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        ...headers,
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    const answer: unknown = text === '' ? {} : JSON.parse(text);
    if (!expect.includes(response.status)) {
      const known = problem.safeParse(answer);
      const reason = known.success ? `${known.data.code}: ${known.data.detail}` : JSON.stringify(answer);
      throw new DemoError(
        `${method} ${path} answered ${response.status} instead of ${expect.join(' or ')} (${reason})`,
      );
    }
    return { status: response.status, body: reply.parse(answer) };
  }
}
