import { request, type Agent, type IncomingHttpHeaders } from 'node:http';

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
