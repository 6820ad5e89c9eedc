import { createRequire } from 'node:module';
import { expect } from 'chai';
import request from 'supertest';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { Problem, Readiness } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import type { Method } from '../support/send.ts';

const manifest = createRequire(import.meta.url)('../../package.json') as { version: string };

/** Every line of the contract's table of routes. */
const ROUTES: readonly (readonly [string, ...Method[]])[] = [
  ['/auth/token', 'POST'],
  ['/organizations', 'GET', 'POST'],
  ['/organizations/{org_id}', 'GET', 'PATCH'],
  ['/organizations/{org_id}/settings', 'GET', 'PUT', 'PATCH'],
  ['/organizations/{org_id}/members', 'GET', 'POST'],
  ['/organizations/{org_id}/members/{user_id}', 'PUT', 'DELETE'],
  ['/auth/refresh', 'POST'],
  ['/auth/logout', 'POST'],
  ['/users', 'GET', 'POST'],
  ['/users/me', 'GET'],
  ['/users/me/password', 'PUT'],
  ['/users/{user_id}', 'GET', 'PATCH'],
  ['/users/{user_id}/password', 'PUT'],
  ['/users/{user_id}/identities', 'GET', 'POST'],
  ['/users/{user_id}/identities/{identity_id}', 'DELETE'],
  ['/admin/audit-logs', 'GET'],
  ['/organizations/{org_id}/audit-logs', 'GET'],
  ['/organizations/{org_id}/input-signatures/{signature}', 'GET', 'DELETE'],
  ...['/organizations/{org_id}/jobs', '/jobs'].flatMap((jobs): [string, ...Method[]][] => [
    [jobs, 'GET', 'POST'],
    [`${jobs}/{job_id}`, 'GET', 'PATCH'],
    [`${jobs}/{job_id}/task-results/{task_name}`, 'PUT'],
    [`${jobs}/{job_id}/task-results`, 'GET'],
    [`${jobs}/{job_id}/artifacts`, 'GET', 'POST'],
  ]),
  ['/admin/databases', 'GET'],
  ['/admin/databases/{org_id}', 'GET'],
  ['/admin/databases/{org_id}/provision', 'POST'],
  ['/health', 'GET'],
  ['/ready', 'GET'],
  ['/openapi.json', 'GET'],
  ['/docs', 'GET'],
  ['/metrics', 'GET'],
];

interface OpenApi {
  readonly info: { readonly version: string };
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, { readonly headers: Readonly<Record<string, unknown>> }>>;
}

describe('The operator’s side of HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['canary-organization']);
    await deployment.register('canary-organization');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  it('says that the process turns', async () => {
    const reply = await service.call('GET', '/health');
    expect([reply.status, reply.body]).to.deep.equal([200, { status: 'ok' }]);
  });

  it('is ready before any organization was used, and opens none by being asked', async () => {
    const reply = await service.call<Readiness>('GET', '/ready');
    expect([reply.status, reply.body]).to.deep.equal([
      200,
      {
        status: 'ready',
        checks: {
          databases: { metadata: true },
          metadata_db: true,
          org_databases: {},
          servers: { default: true },
          server_problems: {},
          change_feed: true,
        },
      },
    ]);
    expect(service.container.get(TOKENS.connectionManager).counts()).to.include({ pools: 0, connections: 0 });
  });

  it('is OpenAPI 3.1 and names every route of the contract', async () => {
    const { status, body } = await service.call<OpenApi>('GET', '/openapi.json');
    expect(status).to.equal(200);
    expect(body.openapi).to.match(/^3\.1\.\d+$/);
    expect(body.info.version, 'the version of package.json').to.equal(manifest.version);
    for (const [path, ...methods] of ROUTES) {
      const documented = Object.keys(body.paths[path] ?? {}).map((method) => method.toUpperCase());
      expect(documented, path).to.include.members(methods);
    }
  });

  it('documents the headers of answers as well', async () => {
    const { body } = await service.call<OpenApi>('GET', '/openapi.json');
    const { responses } = body.paths['/organizations/{org_id}/jobs']?.['post'] ?? { responses: {} };
    const headersOf = (status: number): readonly string[] => Object.keys(responses[status]?.headers ?? {});
    expect(headersOf(201)).to.have.members(['X-Request-Id', 'Location']);
    expect(headersOf(401)).to.have.members(['X-Request-Id', 'WWW-Authenticate']);
    expect(headersOf(422)).to.have.members(['X-Request-Id']);
    for (const status of [429, 503])
      expect(headersOf(status)).to.have.members(['X-Request-Id', 'Retry-After']);
  });

  it('knows every route of the contract by every method, and no other method', async () => {
    const methods: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
    for (const [pattern, ...known] of ROUTES) {
      const path = pattern.replaceAll(/\{(\w+)\}/g, 'x');
      for (const method of methods.filter((each) => !known.includes(each))) {
        const { status, headers, body } = await service.call<Problem>(method, path);
        expect([pattern, method, status, body.code]).to.deep.equal([
          pattern,
          method,
          405,
          'method_not_allowed',
        ]);
        expect(String(headers['allow']).split(', ')).to.include.members([...known]);
      }
      for (const method of known) {
        const reply = await service.call<Problem | null>(method, path);
        expect([404, 405, 500], `${method} ${path}`).not.to.include(reply.status);
      }
    }
    const lost = await service.call<Problem>('GET', '/no/such/route', {
      headers: { 'X-Request-Id': 'lost-1' },
    });
    expect([lost.status, lost.body.code, lost.body.request_id]).to.deep.equal([404, 'not_found', 'lost-1']);
  });

  it('documents itself on a page that needs no other host', async () => {
    const app = deployment.app(service.container);
    const page = await request(app)
      .get('/docs')
      .expect(200)
      .expect('Content-Type', /^text\/html/);
    const references = Array.from(
      page.text.matchAll(/(?:src|href)="([^"]*)"/g),
      ([, reference]) => reference ?? '',
    );
    expect(references).not.to.be.empty;
    expect(page.text).not.to.match(/https?:\/\/|src="\/\//);
    for (const reference of references) {
      expect(reference).to.match(/^\/[^/]/);
      const asset = await request(app).get(reference).expect(200);
      // The bundle names XML namespaces and licences; what counts is that it may load nothing from there.
      if (reference.endsWith('.css'))
        expect(asset.text).not.to.match(/@import|url\(\s*["']?(?:https?:)?\/\//);
      if (reference.endsWith('start.js')) expect(asset.text).not.to.match(/https?:\/\//);
    }
    const policy = page.headers['content-security-policy'];
    expect(policy).to.match(/default-src 'self'/);
    expect(String(policy).replaceAll(/font-src[^;]*|style-src[^;]*/g, '')).not.to.match(/https?:/);
  });

  it('counts in Prometheus text, without the name of an organization', async () => {
    const token = deployment.token('canary-organization', ['member']);
    await service.call('GET', '/organizations/canary-organization/jobs', { token });
    await service.call('GET', '/organizations/canary-organization/jobs/nonsense', { token });
    await service.call('GET', '/canary-organization', { token });

    const { status, headers, text } = await service.call('GET', '/metrics');

    expect(status).to.equal(200);
    expect(headers['content-type']).to.match(/^text\/plain;.*\bversion=0\.0\.4/);
    expect(text).not.to.include('canary-organization');
    expect(text).to.match(/route="\/organizations\/\{org_id\}\/jobs"/);
    expect(text).to.match(/route="unmatched"/);
    for (const line of text.split('\n').filter((each) => each !== '')) {
      expect(line).to.match(
        /^# (?:HELP|TYPE) [a-z_]\w* .+$|^[a-z_]\w*(?:\{(?:\w+="(?:[^"\\]|\\.)*",?)*\})? (?:[-+\d.eE]+|NaN|[+-]Inf)$/,
      );
    }
  });

  it('keeps a sane X-Request-Id, and makes one in place of any other', async () => {
    for (const [sent, kept] of [
      ['client-7.x_Y', true],
      ['a'.repeat(128), true],
      ['a'.repeat(129), false],
      ['with space', false],
      ['<script>', false],
      [`'; select 1`, false],
    ] as const) {
      const ok = await service.call('GET', '/health', { headers: { 'X-Request-Id': sent } });
      expect(ok.headers['x-request-id'] === sent, sent).to.equal(kept);
    }
    const failed = await service.call<Problem>('GET', '/jobs', {
      headers: { 'X-Request-Id': 'of-an-error' },
    });
    expect([failed.status, failed.body.request_id]).to.deep.equal([401, 'of-an-error']);
  });

  it('is not ready any more once the process is stopping', async () => {
    const leaving = await HttpService.start(deployment);
    expect((await leaving.call('GET', '/ready')).status).to.equal(200);
    leaving.container.get(TOKENS.stopping).begin();
    const { status, body } = await leaving.call<Readiness>('GET', '/ready');
    await leaving.close();
    expect([status, body.status, body.checks.metadata_db]).to.deep.equal([503, 'not_ready', true]);
  });
});
