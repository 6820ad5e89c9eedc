import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import express from 'express';
import type { HttpResponse, Middleware } from '../request/http-locals.ts';

/** A page on which to read and try the API. It loads everything from this service and has no inline script. */
export const DOCS_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Molecular Analysis Dashboard API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const START_SCRIPT = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
});
`;

const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];
const CACHED = 'public, max-age=3600';

/** Serves the files that the page loads: those of the package swagger-ui, and the script that starts it. */
export const docsAssets = (): express.Router => {
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const router = express.Router({ caseSensitive: true, strict: true });
  const serve = (file: string, send: (res: HttpResponse) => void): void => {
    const step: Middleware = (_req, res) => {
      res.locals.route = '/docs';
      send(res.set('Cache-Control', CACHED));
    };
    router.get(`/docs/${file}`, step);
  };
  serve('start.js', (res) => res.type('text/javascript').send(START_SCRIPT));
  for (const asset of ASSETS) serve(asset, (res) => res.sendFile(asset, { root }));
  return router;
};
