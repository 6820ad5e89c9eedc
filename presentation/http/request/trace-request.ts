import type { Span, Tracing } from '../../../application/ports/runtime/tracing.ts';
import type { HttpLocals, Opening } from './http-locals.ts';

/** Begins the span of a request that is recorded. */
export const traceRequest =
  (tracing: Tracing): Opening =>
  (req, { locals }) => {
    const span = tracing.receive(req.method, req.headers);
    locals.span = span;
    if (span !== null) locals.context.traceId = span.traceId;
  };

/** Says of a request that has ended what became of it. The path would name what callers chose; the pattern does not. */
export const endTrace = (
  span: Span,
  { route, context, failure }: HttpLocals,
  {
    method,
    status,
    namesOrganization,
  }: { readonly method: string; readonly status: number; readonly namesOrganization: boolean },
): void => {
  const isKnown = route !== 'unmatched';
  if (isKnown) span.rename(`${method} ${route}`);
  span.set({
    'http.request.method': method,
    'http.response.status_code': status,
    ...(isKnown && { 'http.route': route }),
    ...(namesOrganization && context.organizationId !== null && { 'mad.org_id': context.organizationId }),
  });
  if (status >= 500) span.fail(failure?.code ?? String(status));
  span.end();
};
