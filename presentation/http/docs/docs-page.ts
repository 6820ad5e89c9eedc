import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import express from 'express';
import { compressAnswer } from '../request/compress-answer.ts';
import type { Middleware } from '../request/http-locals.ts';

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

/** Swagger UI sets styles of its own, and has its icons as `data:` addresses. */
export const DOCS_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

/** Errors are a line each: with an example and a schema for every one, an operation would fill ten screens. */
const START_SCRIPT = `const shortErrors = ({ React: { createElement } }) => ({
  wrapComponents: {
    response: (Response) => (props) =>
      /^[45]/.test(props.code)
        ? createElement(
            'tr',
            { className: 'response' },
            createElement('td', { className: 'response-col_status' }, props.code),
            createElement(
              'td',
              { className: 'response-col_description', colSpan: 2 },
              props.response.get('description').replaceAll('\`', ''),
            ),
          )
        : createElement(Response, props),
  },
});
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
  plugins: [shortErrors],
});
`;

const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];
const CACHED = 'public, max-age=3600';

/**
 * Serves the files that the page loads: those of the package swagger-ui, and the script that starts it. Leads browsers
 * that ask for `/` or `/docs/` to the page.
 */
export const docsAssets = (): express.Router => {
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const router = express.Router({ caseSensitive: true, strict: true });
  const serve = (path: string, send: Middleware): void => {
    const step: Middleware = (req, res, next) => {
      res.locals.route = '/docs';
      send(req, res, next);
    };
    router.get(path, step);
  };
  serve('/docs/', (_req, res) => res.redirect(308, '/docs'));
  serve('/', (req, res, next) => {
    if (req.accepts(['json', 'html']) === 'html') res.redirect('/docs');
    else next();
  });
  serve('/docs/start.js', (_req, res) => {
    res.set('Cache-Control', CACHED).type('text/javascript').send(START_SCRIPT);
  });
  for (const asset of ASSETS) {
    serve(`/docs/${asset}`, (req, res) => {
      compressAnswer(req, res);
      res.set('Cache-Control', CACHED).sendFile(asset, { root });
    });
  }
  return router;
};
