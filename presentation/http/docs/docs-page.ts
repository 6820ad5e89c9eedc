import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import express from 'express';
import { compressAnswer } from '../request/compress-answer.ts';
import type { HttpRequest, HttpResponse, Middleware } from '../request/http-locals.ts';

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
const CACHED_SECONDS = 3600;

/**
 * Serves the files that the page loads: those of the package swagger-ui, and the script that starts it. Leads browsers
 * that ask for `/docs/` to the page.
 */
export const docsAssets = (): express.Router => {
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const router = express.Router({ caseSensitive: true, strict: true });
  const serve = (path: string, send: (req: HttpRequest, res: HttpResponse) => void): void => {
    const step: Middleware = (req, res) => {
      res.locals.route = '/docs';
      send(req, res);
    };
    router.get(path, step);
  };
  serve('/docs/', (_req, res) => res.redirect(308, '/docs'));
  serve('/docs/start.js', (_req, res) => {
    res.set('Cache-Control', `public, max-age=${CACHED_SECONDS}`).type('text/javascript').send(START_SCRIPT);
  });
  for (const asset of ASSETS) {
    serve(`/docs/${asset}`, (req, res) => {
      // Both would be answered by an error that Express knows and this service does not.
      delete req.headers['if-match'];
      delete req.headers['if-unmodified-since'];
      compressAnswer(req, res);
      // A compressed part of a file is no part of the file. The headers are set when the file is found.
      res.sendFile(asset, { root, acceptRanges: false, maxAge: CACHED_SECONDS * 1000 });
    });
  }
  return router;
};
