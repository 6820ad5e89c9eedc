import express from 'express';
import { HttpError } from '../errors/http-error.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { HttpRequest, HttpResponse, Middleware } from '../request/http-locals.ts';
import { BundleError } from './bundle-console.ts';
import { sharedConsoleAssets, type Asset, type ConsoleAssets } from './console-assets.ts';
import { consolePolicy } from './content-policy.ts';

const HOME = '/console/';
const IMMUTABLE = 'public, max-age=31536000, immutable';

/**
 * The pages of the console. All of them are one document, whose script shows what the address names. Nothing is read or
 * bundled before the first request for it, and concurrent ones share that.
 */
export const consolePages = ({ options }: Pick<HttpDependencies, 'options'>): express.Router => {
  const router = express.Router({ caseSensitive: true, strict: true });
  const assets = sharedConsoleAssets();
  const serve = (path: string | RegExp, send: Send): void => {
    // express-async-errors passes rejections to the error handler.
    // oxlint-disable-next-line typescript/no-misused-promises, oxc/no-async-endpoint-handlers
    router.get(path, async (req: HttpRequest, res: HttpResponse) => {
      res.locals.route = '/console';
      await send(req, res);
    });
  };
  router.get('/', leadBrowsers);
  serve('/console', async (_req, res) => res.redirect(308, 'console/'));
  serve('/console/assets/:name', async (req, res) => {
    const asset = (await assets()).byName.get(req.params['name'] ?? '');
    if (asset === undefined) throw new HttpError('not_found', 'The console has no such file.');
    await sendAsset(req, res, asset);
  });
  serve(/^\/console\/.*$/, async (req, res) => {
    if (req.accepts(['html', 'json']) !== 'html')
      throw new HttpError('not_acceptable', 'Here is a page for browsers. The API is at /docs.');
    try {
      const page = pageOf(await assets(), prefixOf(req.path), options.version);
      res
        .set({
          'Content-Type': 'text/html; charset=utf-8',
          'Cache-Control': 'no-cache',
          'Content-Security-Policy': consolePolicy(),
        })
        .send(page);
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      res.status(503).type('text/plain').send(`${error.message}\n`);
    }
  });
  return router;
};

const leadBrowsers: Middleware = (req, res, next) => {
  if (req.accepts(['json', 'html']) !== 'html') return next();
  res.locals.route = '/console';
  res.redirect('console/');
};

type Send = (req: HttpRequest, res: HttpResponse) => Promise<void>;

const sendAsset = async (req: HttpRequest, res: HttpResponse, asset: Asset): Promise<void> => {
  const encoding = req.acceptsEncodings('br', 'gzip', 'identity');
  const body =
    encoding === 'br' ? await asset.brotli() : encoding === 'gzip' ? await asset.gzip() : asset.body;
  if (encoding === 'br' || encoding === 'gzip') res.set('Content-Encoding', encoding);
  res.set({ 'Content-Type': asset.type, 'Cache-Control': IMMUTABLE, Vary: 'Accept-Encoding' }).send(body);
};

/** Leads from a page to `/console/`, whatever a proxy has put before the path. */
const prefixOf = (path: string): string =>
  '../'.repeat(path.slice(HOME.length).split('/').length - 1) || './';

/** The configuration is a block of data: it is not run. */
const pageOf = (
  { script, style, theme, licences }: ConsoleAssets,
  prefix: string,
  version: string,
): string => {
  const config = JSON.stringify({ version, licences }).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Molecular Analysis Dashboard</title>
    <link rel="icon" href="data:,">
    <script src="${prefix}assets/${theme}"></script>
    <link rel="stylesheet" href="${prefix}assets/${style}">
    <script type="application/json" id="config">${config}</script>
    <script type="module" src="${prefix}assets/${script}"></script>
  </head>
  <body>
    <div id="root"></div>
    <noscript>The console needs JavaScript. The API is described at /docs.</noscript>
  </body>
</html>
`;
};
