import { expect } from 'chai';
import type { DatabaseHealth } from '../../../application/ports/databases/health-check.ts';
import { createRouteTable } from '../../../presentation/http/route-table.ts';
import { errorCodesOf } from '../../../presentation/http/docs/open-api-document.ts';
import { errorStatus } from '../../../presentation/http/errors/error-status.ts';
import { FakeService } from '../../support/fakes/fake-service.ts';

const hidden = () => {
  const service = new FakeService();
  service.options.hideOrganizationNames = true;
  service.databases.health = oneDown;
  return service;
};

const ask = async (health: DatabaseHealth, options: Partial<FakeService['options']> = {}) => {
  const service = new FakeService();
  service.databases.health = health;
  Object.assign(service.options, options);
  return service.anonymous().get('/ready');
};

const servers = { default: true };
const healthy = { metadata: true, servers, serverProblems: {}, organizations: { acme: true } };
const oneDown = { ...healthy, organizations: { acme: true, beta: false } };
const metadataDown = { ...healthy, metadata: false };
const serverDown = { ...healthy, servers: { default: true, eu: false } };

describe('GET /health', () => {
  it('answers ok whatever the databases do', async () => {
    const service = new FakeService();
    service.databases.health = metadataDown;
    const response = await service.anonymous().get('/health');
    expect(response.status).to.equal(200);
    expect(response.body).to.deep.equal({ status: 'ok' });
  });
});

describe('GET /ready', () => {
  it("answers in the seed's form", async () => {
    const response = await ask(oneDown);
    expect(response.status).to.equal(200);
    expect(response.body).to.deep.equal({
      status: 'not_ready',
      checks: {
        databases: { metadata: true, results_acme: true, results_beta: false },
        metadata_db: true,
        org_databases: { results_acme: true, results_beta: false },
        servers: { default: true },
        change_feed: true,
        server_problems: {},
      },
    });
  });

  for (const [readyStrict, expected] of [
    [false, 200],
    [true, 503],
  ] as const) {
    it(`says that it is late to hear of changes${readyStrict ? ', and is out of rotation in strict mode' : ''}`, async () => {
      const service = new FakeService({ changeFeed: { isBehind: true } });
      service.options.readyStrict = readyStrict;
      const { status, body } = await service.anonymous().get('/ready');
      expect([status, body.status, body.checks.change_feed]).to.deep.equal([expected, 'not_ready', false]);
    });
  }

  it('says which server of results databases is down, and stays in rotation for the organizations of the others', async () => {
    const { status, body } = await ask(serverDown);
    expect(status).to.equal(200);
    expect(body.checks.servers).to.deep.equal({ default: true, eu: false });
    expect(body.checks.metadata_db).to.equal(true);
  });

  it('says what is wrong with a server that answers, and stays ready: most of its work goes on', async () => {
    const serverProblems = { default: ['disk_full', 'cannot_create_databases'] } as const;
    const { status, body } = await ask({ ...healthy, serverProblems }, { readyStrict: true });
    expect(status).to.equal(200);
    expect(body.status).to.equal('ready');
    expect(body.checks.server_problems).to.deep.equal(serverProblems);
  });

  for (const [when, health, options, status, word] of [
    ['all are healthy', healthy, {}, 200, 'ready'],
    ['one organization is unhealthy', oneDown, {}, 200, 'not_ready'],
    ['one organization is unhealthy, in strict mode', oneDown, { readyStrict: true }, 503, 'not_ready'],
    ['all are healthy, in strict mode', healthy, { readyStrict: true }, 200, 'ready'],
    ['the metadata database is down', metadataDown, {}, 503, 'not_ready'],
    ['the process is stopping', healthy, { isStopping: () => true }, 503, 'not_ready'],
  ] as const) {
    it(`answers ${status} ${word} when ${when}`, async () => {
      const response = await ask(health, options);
      expect(response.status).to.equal(status);
      expect(response.body.status).to.equal(word);
      if (status === 503) expect(response.headers['retry-after']).to.match(/^\d+$/);
    });
  }

  describe('where organization names are hidden', () => {
    it('counts organizations without naming them', async () => {
      const { text, body } = await hidden().anonymous().get('/ready');
      expect(body).to.deep.equal({
        status: 'not_ready',
        checks: {
          databases: { metadata: true },
          metadata_db: true,
          org_databases: {},
          servers,
          change_feed: true,
          server_problems: {},
        },
      });
      expect(text).not.to.match(/acme|beta/);
    });

    it('names them to a platform administrator', async () => {
      const { body } = await hidden().admin().get('/ready');
      expect(body.checks.org_databases).to.deep.equal({ results_acme: true, results_beta: false });
    });

    it('names them to nobody else, and answers a bad token as none', async () => {
      const service = hidden();
      for (const client of [service.acme('org_admin'), service.as('unknown')]) {
        const { status, body } = await client.get('/ready');
        expect(status).to.equal(200);
        expect(body.checks.org_databases).to.deep.equal({});
      }
    });
  });
});

describe('GET /metrics', () => {
  it('answers in Prometheus text', async () => {
    const response = await new FakeService().anonymous().get('/metrics');
    expect(response.status).to.equal(200);
    expect(response.type).to.equal('text/plain');
    expect(response.text).to.equal('up 1\n');
  });
});

describe('GET /openapi.json', () => {
  interface Operation {
    readonly operationId: string;
    readonly security: readonly object[];
    readonly parameters?: readonly {
      readonly in: string;
      readonly name: string;
      readonly required?: boolean;
    }[];
    readonly requestBody?: object;
    readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, object>> }>>;
  }
  interface Document {
    readonly openapi: string;
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
    readonly components: {
      readonly securitySchemes: object;
      readonly schemas: Readonly<Record<string, object>>;
    };
  }

  const routes = createRouteTable(new FakeService().deps);
  let document: Document;

  before(async () => {
    const response = await new FakeService().anonymous().get('/openapi.json');
    expect(response.status).to.equal(200);
    expect(response.type).to.equal('application/json');
    document = response.body;
  });

  it('is OpenAPI 3.1 with the bearer scheme and the problem schema', () => {
    expect(document.openapi).to.equal('3.1.0');
    expect(document.components.securitySchemes).to.have.nested.property('bearer.scheme', 'bearer');
    expect(document.components.schemas).to.include.keys('Problem', 'Job', 'Organization', 'Database');
  });

  it('describes every route of the table and no other', () => {
    const described = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    expect(described).to.have.members(routes.map(({ method, path }) => `${method} ${path}`));
  });

  it('names every parameter of a path, and every status that a route can answer', () => {
    for (const route of routes) {
      const operation = document.paths[route.path]?.[route.method];
      expect(operation?.operationId).to.equal(route.name);
      const inPath = (operation?.parameters ?? []).filter((parameter) => parameter.in === 'path');
      const expected = Array.from(route.path.matchAll(/\{(\w+)\}/g), ([, name]) => name);
      expect(inPath.map(({ name }) => name)).to.deep.equal(expected);
      expect(inPath.every(({ required }) => required === true)).to.be.true;
      expect(operation?.requestBody !== undefined).to.equal(
        route.request.body !== undefined || route.receivesBytes === true,
      );
      expect(operation?.security).to.have.length(route.scope === 'public' ? 0 : 1);
      const statuses = [
        ...Object.keys(route.replies),
        ...Array.from(errorCodesOf(route), (code) => String(errorStatus(code).status)),
      ];
      expect(Object.keys(operation?.responses ?? {})).to.have.members([...new Set(statuses)]);
    }
  });

  it('refers to nothing that it does not hold', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, reference]) => reference,
    );
    expect(references).not.to.be.empty;
    for (const reference of new Set(references)) {
      const [root, ...segments] = (reference ?? '').split('/');
      expect(root).to.equal('#');
      expect(document).to.have.nested.property(segments.join('.'));
    }
  });

  it('is made once', async () => {
    const service = new FakeService();
    const first = await service.anonymous().get('/openapi.json');
    const second = await service.anonymous().get('/openapi.json');
    expect(first.text).to.equal(second.text);
  });
});

describe('GET /docs', () => {
  it('loads only files of this service, and runs no inline script', async () => {
    const service = new FakeService();
    const page = await service.anonymous().get('/docs');
    expect(page.status).to.equal(200);
    expect(page.type).to.equal('text/html');
    expect(page.text).not.to.match(/https?:\/\//);
    expect(page.text).not.to.match(/<script>/);
    const files = Array.from(page.text.matchAll(/(?:src|href)="([^"]+)"/g), ([, file]) => file ?? '');
    expect(files).to.have.length(4);
    for (const file of files) {
      const response = await service.anonymous().get(file).buffer(true);
      expect(response.status).to.equal(200);
      expect(response.headers['cache-control']).to.contain('max-age');
      expect(response.headers['x-content-type-options']).to.equal('nosniff');
    }
  });

  it('starts with the document of this service', async () => {
    const script = await new FakeService().anonymous().get('/docs/start.js').buffer(true);
    expect(script.type).to.equal('text/javascript');
    expect(script.text).to.contain("'/openapi.json'");
  });
});
