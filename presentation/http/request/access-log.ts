import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { LeaseCost } from '../../../application/ports/databases/organization-databases.ts';
import type { AnswerCut, RequestUsage } from '../../../application/ports/runtime/http-metrics.ts';
import type { ServerId } from '../../../domain/databases/server.ts';
import { reasonsOf } from '../../../domain/reason-of.ts';
import { errorStatus } from '../errors/error-status.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { HttpLocals, HttpResponse, Opening } from './http-locals.ts';
import { endTrace } from './trace-request.ts';

const CLIENT_CLOSED_REQUEST = 499;

/** Writes one line and observes one duration for each request, when its response closes: sent, or abandoned by the client. */
export const accessLog =
  ({ logger, httpMetrics, tracing }: Pick<HttpDependencies, 'logger' | 'httpMetrics' | 'tracing'>): Opening =>
  (req, res) => {
    // A request that was cut may have none any more when it closes.
    const { socket } = req;
    res.on('close', () => {
      const { locals } = res;
      const cost = costOf(locals);
      const { method } = req;
      const status = statusOf(res);
      const closedAtMs = performance.now();
      // How long a stream was open says nothing about the service.
      const answeredAtMs = locals.streamBeganAtMs ?? closedAtMs;
      httpMetrics.observe({
        method,
        route: locals.route,
        status,
        seconds: (answeredAtMs - locals.startedAtMs) / 1000,
        cut: locals.cut,
        organizationId: locals.resultsOf,
        code: locals.failure?.code,
        usage: usageOf(locals, { dbMs: cost?.dbMs ?? 0, egressBytes: bytesSince(socket) }),
      });
      // The fields one by one: to spread objects into others takes longer than to write them out.
      const fields = {
        request_id: locals.requestId,
        org_id: locals.context.organizationId,
        method,
        route: locals.route,
        status,
        duration_ms: inMicroseconds(closedAtMs - locals.startedAtMs),
        code: locals.failure?.code,
        cut: locals.cut,
        trace_id: locals.context.traceId,
        server: cost?.server,
        queries: cost?.queries,
        db_ms: cost && inMicroseconds(cost.dbMs),
        waited_ms: cost && inMicroseconds(cost.waitedMs),
      };
      logger.write(
        eventOf(locals, status),
        status < 500 ? fields : { ...fields, ...causeOf(locals, status) },
      );
      const { span } = locals;
      if (span !== null)
        endTrace(span, locals, { method, status, namesOrganization: tracing?.namesOrganizations === true });
    });
  };

/** Whether an answer lasts until somebody leaves, so that neither a deadline nor a pause in it means anything. */
export const isOpenEnded = (response: ServerResponse & { locals?: HttpLocals }): boolean =>
  response.locals?.streamBeganAtMs !== undefined;

/** Lets the line of a request say why the server ended its connection. */
export const noteCut = (response: ServerResponse & { locals?: HttpLocals }, cut: AnswerCut): void => {
  if (response.locals !== undefined) response.locals.cut = cut;
};

/** Whether a file goes in or out: other deadlines hold for it. */
export const isStream = (response: ServerResponse & { locals?: HttpLocals }): boolean =>
  response.locals?.streams === true;

interface Cost extends LeaseCost {
  readonly server: ServerId;
}

/** What the request has asked of its organization's database, with every lease that it had. */
const costOf = ({ leases }: HttpLocals): Cost | undefined => {
  const first = leases?.[0];
  if (leases === undefined || first === undefined) return undefined;
  const sum = { server: first.serverId, queries: 0, dbMs: 0, waitedMs: 0 };
  for (const { cost } of leases) {
    sum.queries += cost.queries;
    sum.dbMs += cost.dbMs;
    sum.waitedMs += cost.waitedMs;
  }
  return sum;
};

/** A token belongs to an organization even where the request is about none. */
const usageOf = (
  { organizationId, principal }: HttpLocals,
  used: Omit<RequestUsage, 'organizationId'>,
): RequestUsage | undefined => {
  const whose = organizationId ?? principal?.organizationId;
  return whose ? { organizationId: whose, ...used } : undefined;
};

/** What had been sent over each connection when its last answer closed. */
const sentBefore = new WeakMap<Socket, number>();

/** The bytes that were sent over a connection since the answer before. */
const bytesSince = (socket: Socket): number => {
  const sent = socket.bytesWritten;
  const before = sentBefore.get(socket) ?? 0;
  sentBefore.set(socket, sent);
  return Math.max(0, sent - before);
};

/** Milliseconds without digits that no clock has. */
const inMicroseconds = (milliseconds: number): number => Math.round(milliseconds * 1e3) / 1e3;

/** The stack of a fault; of a database that is away the reason alone, as an outage makes a line of every request. */
const causeOf = ({ failure }: HttpLocals, status: number): { err?: unknown; reason?: string } => {
  if (failure === undefined || status < 500) return {};
  return failure.code === 'internal_error' ? { err: failure.error } : { reason: reasonsOf(failure.error) };
};

/** A response that was cut off without a failure was abandoned by the client. That is how most streams end. */
const statusOf = (res: HttpResponse): number => {
  const { failure } = res.locals;
  if (failure !== undefined) return errorStatus(failure.code).status;
  return res.writableFinished || isOpenEnded(res) ? res.statusCode : CLIENT_CLOSED_REQUEST;
};

/** ERROR: the service has a fault, and someone must act. WARN: a database is away. A client's mistake is INFO. */
const eventOf = (
  { failure }: HttpLocals,
  status: number,
): 'request.finished' | 'request.unserved' | 'request.failed' => {
  if (failure?.code === 'internal_error') return 'request.failed';
  return status >= 500 ? 'request.unserved' : 'request.finished';
};
