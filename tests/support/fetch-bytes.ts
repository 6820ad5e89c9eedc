import { createHash } from 'node:crypto';

/** What a request for bytes is answered with. */
export interface BytesReply {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** Of JSON; null for other bytes. */
  readonly body: Readonly<Record<string, unknown>> | null;
}

export interface BytesRequest {
  readonly method?: string;
  readonly token: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestInit['body'];
}

/** Sends and receives bytes as they are. */
export const fetchBytes = async (
  url: string,
  { method = 'GET', token, headers = {}, body }: BytesRequest,
): Promise<BytesReply> => {
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: { authorization: `Bearer ${token}`, ...headers },
    // Streams are sent while the answer may begin.
    ...(body !== undefined && { body, duplex: 'half' as const }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '') && bytes.length > 0;
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    body: isJson ? (JSON.parse(bytes.toString()) as Readonly<Record<string, unknown>>) : null,
  };
};

export const sha256Of = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** As RFC 9530 writes it. */
export const contentDigestOf = (bytes: string | Buffer): string =>
  `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;
