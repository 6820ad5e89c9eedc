import { expect } from 'chai';
import type { Express } from 'express';
import { createRouteTable } from '../../../presentation/http/route-table.ts';
import type { Route } from '../../../presentation/http/routing/route.ts';
import { FakeService } from '../../support/fakes/fake-service.ts';
import { sampleBody, samplePath, titleOf } from '../../support/fakes/samples.ts';

/** What Express 4 keeps of a mounted middleware or route; untyped there. */
interface Layer {
  readonly name: string;
  readonly handle: { readonly stack?: readonly Layer[] };
  readonly route?: {
    readonly path: string | RegExp;
    readonly methods: Readonly<Record<string, boolean>>;
    readonly stack: readonly { readonly method?: string }[];
  };
}

/** Every route that Express would serve, however deep it is mounted. */
const mountedRoutes = (app: Express): readonly string[] => {
  // Express 4 keeps its router here; a release that does not makes the first test below fail.
  // oxlint-disable-next-line no-underscore-dangle
  const { stack } = app._router as { readonly stack: readonly Layer[] };
  const walk = (layers: readonly Layer[]): readonly string[] =>
    layers.flatMap(({ route, handle }) => [
      ...(route === undefined ? [] : titlesOf(route)),
      ...walk(handle.stack ?? []),
    ]);
  return walk(stack);
};

const titlesOf = ({ path, stack }: NonNullable<Layer['route']>): readonly string[] => {
  const methods = new Set(stack.flatMap(({ method }) => method ?? []));
  return Array.from(
    methods,
    (method) => `${method.toUpperCase()} ${String(path).replaceAll(/:(\w+)/g, '{$1}')}`,
  );
};

/** What the page with the API's documentation is made of. */
const ASSETS = ['start.js', 'swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];
/** The console's: a browser is led to them from `/`, and what is below them is one page. */
const PAGES = ['/', '/console', '/console/assets/{name}', String(/^\/console\/.*$/)];

const NOBODYS = '/organizations/{org_id}/forgotten';

describe('The router', () => {
  const service = new FakeService();
  const table = createRouteTable(service.deps);
  const mounted = mountedRoutes(service.app);

  it('serves the routes of the table and no others', () => {
    expect(mounted.length).to.be.greaterThan(40);
    const assets = ASSETS.map((name) => `GET /docs/${name}`);
    const redirections = ['GET /docs/'];
    const pages = PAGES.map((path) => `GET ${path}`);
    expect(mounted).to.have.members([...assets, ...pages, ...redirections, ...table.map(titleOf)]);
  });

  it('is seen through: a route mounted past the table is found', () => {
    const { app } = new FakeService();
    app.get(NOBODYS.replace('{org_id}', ':org_id'), (_req, res) => void res.json({}));
    expect(mountedRoutes(app)).to.include(`GET ${NOBODYS}`);
  });

  const routeOf = (title: string): Route => {
    const route = table.find((each) => titleOf(each) === title);
    if (route === undefined) throw new Error(`${title} is in no table`);
    return route;
  };

  for (const title of mounted.filter((each) => each.includes('{org_id}'))) {
    it(`lets nobody past the guard of ${title}: path, header and claim have to agree`, async () => {
      const route = routeOf(title);
      const ask = (organization: string, header?: string) => {
        const fresh = new FakeService();
        const token = fresh.tokens.of('acme', 'org_admin', 'member', 'worker');
        const request = fresh.as(token)[route.method](samplePath(route, organization));
        if (header !== undefined) void request.set('X-Org-Id', header);
        return { fresh, reply: request.send(sampleBody(route)) };
      };
      for (const [path, header] of [
        ['beta', undefined],
        ['acme', 'beta'],
        ['beta', 'acme'],
        ['beta', 'beta'],
      ] as const) {
        const { fresh, reply } = ask(path, header);
        const { status, body } = await reply;
        expect([path, header, status, body.code]).to.deep.equal([
          path,
          header,
          403,
          'organization_access_denied',
        ]);
        expect(fresh.databases.acquired).to.deep.equal([]);
        expect(fresh.metadata.trail.map(({ action }) => action)).to.deep.equal([
          'organization.access_denied',
        ]);
      }
    });
  }
});
