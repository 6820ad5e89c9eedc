import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Spectral, type RulesetDefinition } from '@stoplight/spectral-core';
import { oas } from '@stoplight/spectral-rulesets';
import { expect } from 'chai';
import { openApiDocument } from '../../presentation/http/docs/open-api-document.ts';
import { createRouteTable } from '../../presentation/http/route-table.ts';
import { titleOf } from '../support/fakes/samples.ts';
import { FakeService } from '../support/fakes/fake-service.ts';

const routes = createRouteTable(new FakeService().deps);
const document = openApiDocument(routes, { version: '1.2.3', maxOrganizationIdLength: 40 });

interface Operation {
  readonly requestBody?: unknown;
  readonly responses: unknown;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: unknown };
}
// The document is made from the type that zod-openapi gives it.
const { paths, components } = JSON.parse(document) as Document;
const operations = Object.values(paths).flatMap((path) => Object.values(path));

describe('The OpenAPI document', () => {
  // A linter reads hundreds of rules: seconds of CPU, which a busy machine stretches.
  const LINT_TIMEOUT_MS = 120_000;

  it('has nothing that the strict rules of Redocly object to', async () => {
    const config = await createConfig({ extends: ['recommended-strict'] });
    const problems = await lintFromString({ source: document, absoluteRef: '/openapi.json', config });
    expect(
      problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
    ).to.deep.equal([]);
  }).timeout(LINT_TIMEOUT_MS);

  it('has nothing that the recommended rules of Spectral object to', async () => {
    const spectral = new Spectral();
    // Its own rules are typed more narrowly than what it takes.
    spectral.setRuleset({ extends: [[oas as RulesetDefinition, 'recommended']] });
    const problems = await spectral.run(document);
    expect(problems.map(({ code, message, path }) => [code, message, path.join('/')])).to.deep.equal([]);
  }).timeout(LINT_TIMEOUT_MS);

  for (const { name, request } of routes.filter(({ request: { body } }) => body !== undefined)) {
    it(`shows for ${name} a body that the route takes`, () => {
      expect(request.body?.safeParse(request.body.meta()?.['example']).error).to.equal(undefined);
    });
  }

  describe('of a reply', () => {
    const replies = JSON.stringify([components.schemas, operations.map(({ responses }) => responses)]);

    it('leaves it open for further fields', () => {
      expect(replies).not.to.include('"additionalProperties":false');
    });

    it('states no limit that is only that of JavaScript numbers', () => {
      expect(replies).not.to.include(String(Number.MAX_SAFE_INTEGER));
    });
  });

  it('closes the bodies of requests, of which the service refuses further fields', () => {
    const bodies = operations.flatMap(({ requestBody }) => (requestBody === undefined ? [] : [requestBody]));
    // Bytes of a file have no fields.
    const documents = bodies.filter((body) => JSON.stringify(body).includes('"application/json"'));
    expect(documents).not.to.be.empty;
    for (const body of documents) expect(JSON.stringify(body)).to.include('"additionalProperties":false');
  });

  it('shows each route once among the routes of its tag', () => {
    const places = routes.map(
      (route) => `${route.tag} ${route.method} ${route.path.split('/').slice(-2).join('/')}`,
    );
    expect(new Set(places).size, routes.map(titleOf).join('\n')).to.equal(places.length);
  });
});
