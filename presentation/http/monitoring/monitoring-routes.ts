import { z } from 'zod';
import type { HttpDependencies } from '../http-dependencies.ts';
import { ok, raw } from '../request/reply.ts';
import { publicRoute, type Route } from '../routing/route.ts';
import { DOCS_PAGE } from '../docs/docs-page.ts';
import { readiness } from './readiness.ts';

const tag = 'operations';
const checks = z.record(z.string(), z.boolean());
const readyReply = z
  .strictObject({
    status: z.enum(['ready', 'not_ready']),
    checks: z.strictObject({ databases: checks, metadata_db: z.boolean(), org_databases: checks }),
  })
  .meta({ id: 'Readiness' });

/** @param openApi the document as JSON text */
export const operationRoutes = (deps: HttpDependencies, openApi: () => string): readonly Route[] => [
  publicRoute([], {
    method: 'get',
    path: '/health',
    name: 'health',
    summary: 'Whether the process turns',
    tag,
    request: {},
    replies: { 200: { description: 'It does', schema: z.strictObject({ status: z.literal('ok') }) } },
    handle: () => ok({ status: 'ok' }),
  }),
  publicRoute([], {
    method: 'get',
    path: '/ready',
    name: 'ready',
    summary: 'Whether to send requests here, and which databases are healthy',
    tag,
    request: {},
    replies: {
      200: { description: 'Requests are served', schema: readyReply },
      503: { description: 'Requests are better sent elsewhere', schema: readyReply },
    },
    handle: ({ bearer }) => readiness(deps, bearer),
  }),
  publicRoute([], {
    method: 'get',
    path: '/metrics',
    name: 'metrics',
    summary: 'Metrics in Prometheus text format',
    tag,
    request: {},
    replies: { 200: { description: 'Prometheus text', contentType: 'text/plain' } },
    handle: async () => {
      const { contentType, body } = await deps.renderMetrics();
      return raw(contentType, body);
    },
  }),
  publicRoute([], {
    method: 'get',
    path: '/openapi.json',
    name: 'openApi',
    summary: 'This document',
    tag,
    request: {},
    replies: { 200: { description: 'OpenAPI 3.1', schema: z.record(z.string(), z.unknown()) } },
    handle: () => raw('application/json', openApi()),
  }),
  publicRoute([], {
    method: 'get',
    path: '/docs',
    name: 'docs',
    summary: 'This document as a page',
    tag,
    request: {},
    replies: { 200: { description: 'A page that works offline', contentType: 'text/html' } },
    handle: () => raw('text/html', DOCS_PAGE),
  }),
];
