import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestContext } from '../../application/ports/runtime/request-context.ts';

const storage = new AsyncLocalStorage<RequestContext>();

/** Puts `request_id` and `org_id` on every log line of `work`, also of what it awaits. For logs alone, never for routing. */
export const runWithRequestContext = <Result>(context: RequestContext, work: () => Result): Result =>
  storage.run(context, work);

export const requestContextFields = (): Record<string, string> => {
  const context = storage.getStore();
  if (context === undefined) return {};
  const { requestId, organizationId } = context;
  return organizationId === null
    ? { request_id: requestId }
    : { request_id: requestId, org_id: organizationId };
};
