import { z } from 'zod';
import { raw } from '../request/reply.ts';
import { publicRoute, type Route } from '../routing/route.ts';
import { DOCS_PAGE } from './docs-page.ts';

const tag = 'docs';

/** @param openApi gives the document of all routes as JSON text, these two included */
export const docsRoutes = (openApi: () => string): readonly Route[] => [
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
