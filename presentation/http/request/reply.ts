import { createHash } from 'node:crypto';

/**
 * What a handler answers. A body of null is not sent; text, bytes and `JsonText` are sent as they are, an `EventStream` bit by
 * bit, all else as JSON.
 */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Text that is made while it is sent: never more of it than the client takes. For HEAD nothing is made. */
export class TextStream {
  readonly parts: AsyncIterable<string>;

  constructor(parts: AsyncIterable<string>) {
    this.parts = parts;
  }
}

export const ok = (body: unknown): Reply => ({ status: 200, body });
export const created = (body: unknown, location?: string): Reply =>
  location === undefined ? { status: 201, body } : { status: 201, body, headers: { Location: location } };
export const noContent: Reply = { status: 204, body: null };
export const raw = (contentType: string, body: string): Reply => ({
  status: 200,
  body,
  headers: { 'Content-Type': contentType },
});

/**
 * Text that changes with the release alone. Clients may keep it, and ask whether it is still the same. To be made once: then
 * all answers under way share its bytes.
 */
export const versioned = (contentType: string, text: string, headers: Reply['headers'] = {}): Reply => {
  const body = Buffer.from(text);
  const tag = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return {
    status: 200,
    body,
    // Weak, because the text may be sent compressed.
    headers: { 'Content-Type': contentType, ETag: `W/"${tag}"`, 'Cache-Control': 'no-cache', ...headers },
  };
};
