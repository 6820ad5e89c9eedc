import { z } from 'zod';
import { versioned, type Reply } from '../request/reply.ts';
import { publicRoute, type Route } from '../routing/route.ts';
import { DOCS_PAGE, DOCS_POLICY } from './docs-page.ts';

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
    compress: true,
    replies: {
      200: { description: 'OpenAPI 3.1', schema: z.record(z.string(), z.unknown()) },
      304: { description: 'It is still as its `ETag` said' },
    },
    handle: once(() => versioned('application/json', openApi())),
  }),
  publicRoute([], {
    method: 'get',
    path: '/docs',
    name: 'docs',
    summary: 'This document as a page',
    tag,
    request: {},
    replies: {
      200: { description: 'A page that works offline', contentType: 'text/html' },
      304: { description: 'It is still as its `ETag` said' },
    },
    handle: once(() =>
      versioned('text/html; charset=utf-8', DOCS_PAGE, { 'Content-Security-Policy': DOCS_POLICY }),
    ),
  }),
];

/** Makes the reply for the first request that asks. All others share it. */
const once = (make: () => Reply): (() => Reply) => {
  let made: Reply | undefined;
  return () => (made ??= make());
};
