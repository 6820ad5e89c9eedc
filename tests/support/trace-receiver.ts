import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { z } from 'zod';

const attributes = z.array(
  z.object({
    key: z.string(),
    value: z.union([
      z.object({ stringValue: z.string() }),
      z.object({ intValue: z.number() }),
      z.object({ doubleValue: z.number() }),
      z.object({ boolValue: z.boolean() }),
    ]),
  }),
);

/** The part of an OTLP export in JSON that is looked at. */
const EXPORT = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string().regex(/^[0-9a-f]{32}$/),
              spanId: z.string().regex(/^[0-9a-f]{16}$/),
              parentSpanId: z.string().optional(),
              name: z.string(),
              kind: z.number(),
              startTimeUnixNano: z.string(),
              endTimeUnixNano: z.string(),
              attributes,
              status: z.object({ code: z.number().optional() }),
            }),
          ),
        }),
      ),
    }),
  ),
});

export interface ReceivedSpan {
  readonly service: unknown;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isFailed: boolean;
}

const FAILED = 2;

/** A collector of OpenTelemetry, as far as it takes traces over HTTP in JSON. */
export class TraceReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** All that came, as text. */
  readonly texts: string[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  readonly #server: Server;
  readonly #held: ServerResponse[] = [];
  readonly #holds: boolean;

  private constructor(holds: boolean) {
    this.#holds = holds;
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  /** @param options.holds takes every export, and answers none before `close` */
  static async start({ holds = false }: { readonly holds?: boolean } = {}): Promise<TraceReceiver> {
    const receiver = new TraceReceiver(holds);
    await new Promise<void>((resolve) => {
      receiver.#server.listen(0, '127.0.0.1', resolve);
    });
    return receiver;
  }

  get url(): string {
    // A TCP server that listens has such an address.
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  named(name: string): readonly ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  /** @throws {Error} when there is none, or more than one */
  one(name: string, among: readonly ReceivedSpan[] = this.spans): ReceivedSpan {
    const [span, another] = among.filter((each) => each.name === name);
    if (span === undefined || another !== undefined)
      throw new Error(`not one "${name}" among ${among.map((each) => each.name).join(', ')}`);
    return span;
  }

  /** What began within this span, the earliest first. */
  within({ traceId, spanId }: ReceivedSpan): readonly ReceivedSpan[] {
    return this.spans
      .filter((span) => span.traceId === traceId && span.parentSpanId === spanId)
      .toSorted((a, b) => Number(a.startNs - b.startNs));
  }

  async close(): Promise<void> {
    for (const response of this.#held) response.writeHead(400).end();
    this.#server.closeIdleConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.headers.push(request.headers);
    const body = await json(request);
    this.texts.push(JSON.stringify(body));
    if (request.method === 'POST' && request.url === '/v1/traces') this.#keep(body);
    if (this.#holds) this.#held.push(response);
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }

  #keep(body: unknown): void {
    for (const { resource, scopeSpans } of EXPORT.parse(body).resourceSpans) {
      const service = plain(resource.attributes)['service.name'];
      for (const { spans } of scopeSpans)
        for (const { status, startTimeUnixNano, endTimeUnixNano, ...span } of spans)
          this.spans.push({
            ...span,
            service,
            parentSpanId: span.parentSpanId,
            attributes: plain(span.attributes),
            startNs: BigInt(startTimeUnixNano),
            endNs: BigInt(endTimeUnixNano),
            isFailed: status.code === FAILED,
          });
    }
  }
}

const plain = (list: z.infer<typeof attributes>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
