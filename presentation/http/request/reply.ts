/** What a handler answers. A body of null is not sent, a string or `JsonText` is sent as it is, anything else as JSON. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const ok = (body: unknown): Reply => ({ status: 200, body });
export const created = (body: unknown, location?: string): Reply =>
  location === undefined ? { status: 201, body } : { status: 201, body, headers: { Location: location } };
export const noContent: Reply = { status: 204, body: null };
export const raw = (contentType: string, body: string): Reply => ({
  status: 200,
  body,
  headers: {
    'Content-Type': contentType.includes('charset=') ? contentType : `${contentType}; charset=utf-8`,
  },
});
