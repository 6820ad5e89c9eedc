import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestContext } from '../../application/ports/runtime/request-context.ts';

const storage = new AsyncLocalStorage<RequestContext>();

/**
 * Runs `work` so that its log lines, also after an await, can get `request_id` and `org_id`. Use it only for logs: the
 * route to a database must not depend on ambient state.
 */
export const runWithRequestContext = <Result>(context: RequestContext, work: () => Result): Result =>
  storage.run(context, work);

/** The log fields of the current request; empty outside a request. */
export const requestContextFields = (): Record<string, string> => {
  const context = storage.getStore();
  if (context === undefined) return {};
  const { requestId, organizationId, traceId } = context;
  return {
    request_id: requestId,
    ...(organizationId !== null && { org_id: organizationId }),
    ...(traceId !== undefined && { trace_id: traceId }),
  };
};
