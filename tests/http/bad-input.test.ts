import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { faultsOf, type BodySchema } from '../support/body-faults.ts';
import type { Job, Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { rowCounts } from '../support/row-counts.ts';
import type { CallOptions, Method } from '../support/send.ts';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, BodySchema>> };
}
interface Operation {
  readonly operationId: string;
  readonly requestBody?: {
    readonly content: { readonly 'application/json'?: { readonly schema: BodySchema } };
  };
}

const ID = '00000000-0000-4000-8000-00000000abcd';

/** The contract's body of each route, by operation: with every field, optional ones included. */
const BODIES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  issueToken: {
    email: 'a@example.org',
    password: 'secret',
    new_password: 'another password',
    org_id: 'alpha',
    key: 'mad_sk_unknown',
  },
  exchangeToken: { org_id: 'alpha' },
  createServiceAccount: { name: 'cluster', roles: ['worker'] },
  createFleet: { name: 'fleet' },
  refreshToken: { refresh_token: 'unknown' },
  logout: { refresh_token: 'unknown' },
  changeOwnPassword: { password: 'secret', new_password: 'another password' },
  createUser: { email: 'a@example.org', platform_admin: false, password: 'another password' },
  changeUser: {
    status: 'active',
    platform_admin: false,
    must_change_password: false,
    seen: { status: 'active', platform_admin: false, must_change_password: false },
  },
  setPassword: { password: 'another password' },
  retireDatabase: { seen_generation: 1 },
  linkIdentity: { issuer: 'https://idp.example', subject: 'a' },
  addMember: { email: 'a@example.org', roles: ['member'] },
  changeMemberRoles: { roles: ['member'] },
  createOrganization: { org_id: 'created', name: 'Created', placement: { server_id: null, labels: {} } },
  changeOrganization: { name: 'Renamed', placement: { server_id: 'default' } },
  changeServer: {
    status: 'active',
    weight: 100,
    max_databases: 10,
    labels: { region: 'eu' },
    seen_status: 'active',
  },
  openBrowserSession: { email: 'a@example.org', password: 'secret', new_password: 'another password' },
  makeBrowserToken: { org_id: 'alpha' },
  confirmBrowserSession: { org_id: 'alpha', password: 'secret' },
  reconcileDatabases: { dry_run: true },
  startMigrationRun: {
    kind: 'migrate',
    target: 1,
    org_ids: ['alpha'],
    canaries: 1,
    wave: '25%',
    error_budget: 0,
    dry_run: true,
    seen_run_id: null,
  },
  pauseMigrationRun: { state: 'running', failed: 0 },
  resumeMigrationRun: { state: 'running', failed: 0 },
  retryMigrationRun: { state: 'running', failed: 0, org_ids: ['alpha'] },
  rollBackMigrationRun: { state: 'running', failed: 0, org_ids: ['alpha'], wave: 0, target: 1 },
  replaceSettings: { settings: { theme: 'dark' } },
  patchSettings: { settings: { theme: 'dark' } },
  submitJob: {
    engine: 'vina',
    pipeline_version: '1',
    inputs: { a: 1 },
    params: { b: 2 },
    priority: 1,
    label: 'imatinib',
    campaign_id: ID,
    max_attempts: 2,
    max_runtime_seconds: 60,
  },
  submitJobBatch: {
    campaign_id: ID,
    engine: 'vina',
    pipeline_version: '1',
    inputs: { a: 1 },
    params: { b: 2 },
    priority: 1,
    max_attempts: 2,
    max_runtime_seconds: 60,
    items: [{ label: 'imatinib', inputs: { c: 3 }, params: { d: 4 } }],
  },
  createCampaign: {
    name: 'Kinases',
    description: 'All of them',
    engine: 'vina',
    inputs: { a: 1 },
    params: { b: 2 },
    priority: 1,
  },
  changeCampaign: { name: 'Renamed', archived: true },
  claimJobs: {
    worker: { name: 'node-1', version: '1' },
    engines: ['vina'],
    limit: 1,
    lease_seconds: 60,
    hint_version: 1,
  },
  heartbeat: { leases: [{ job_id: ID, lease_id: ID, progress: { fraction: 0.5, message: 'half' } }] },
  cancelJobs: { campaign_id: ID, status: 'PENDING', job_ids: [ID] },
  completeJobs: { items: [{ job_id: ID, lease_id: ID, outcome: 'COMPLETED' }] },
  completeJob: {
    lease_id: ID,
    outcome: 'FAILED',
    error: { code: 'engine_error', message: 'because', retryable: true },
    task_results: [{ task_name: 't', service_name: 'vina', result_data: { a: 1 } }],
    artifacts: [{ name: 'a', purpose: 'poses', uri: 'file:///a' }],
    usage: { wall_seconds: 1, cpu_seconds: 2 },
    log_tail: 'the end',
  },
  releaseJob: { lease_id: ID, reason: 'shutdown', delay_seconds: 1 },
  moveJob: { status: 'CANCELED', error: 'because' },
  putTaskResult: {
    service_name: 'vina',
    service_version: '1',
    schema_version: '1',
    confidence_score: 0.5,
    result_data: { a: 1 },
    poses: [{ rank: 1, affinity_kcal_mol: -7.5 }],
    suspect: ['no_improvement'],
  },
  beginUpload: { sha256: 'ab'.repeat(32), size_bytes: 1, media_type: 'text/plain', name: 'a.txt' },
  addArtifact: {
    name: 'a',
    purpose: 'poses',
    uri: 'file:///a',
    file: `sha256:${'ab'.repeat(32)}`,
    content_type: 'text/plain',
    size_bytes: 1,
    checksum: 'sha256:0f',
  },
};
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  // Or a key: which of them are missing is said by the field.
  issueToken: [],
  exchangeToken: ['org_id'],
  createServiceAccount: ['name', 'roles'],
  createFleet: ['name'],
  refreshToken: ['refresh_token'],
  logout: ['refresh_token'],
  changeOwnPassword: ['password', 'new_password'],
  createUser: ['email'],
  changeUser: [],
  setPassword: ['password'],
  retireDatabase: ['seen_generation'],
  linkIdentity: ['issuer', 'subject'],
  addMember: ['email', 'roles'],
  changeMemberRoles: ['roles'],
  createOrganization: ['org_id', 'name'],
  changeOrganization: [],
  changeServer: [],
  openBrowserSession: ['email', 'password'],
  makeBrowserToken: ['org_id'],
  confirmBrowserSession: ['org_id', 'password'],
  reconcileDatabases: ['dry_run'],
  startMigrationRun: [],
  pauseMigrationRun: ['state'],
  resumeMigrationRun: ['state'],
  retryMigrationRun: ['state'],
  rollBackMigrationRun: ['state'],
  replaceSettings: ['settings'],
  patchSettings: ['settings'],
  submitJob: ['engine', 'inputs'],
  submitJobBatch: ['items'],
  createCampaign: ['name'],
  changeCampaign: [],
  claimJobs: ['worker', 'engines', 'limit'],
  heartbeat: ['leases'],
  cancelJobs: [],
  completeJobs: ['items'],
  completeJob: ['lease_id', 'outcome'],
  releaseJob: ['lease_id', 'reason'],
  moveJob: ['status'],
  putTaskResult: ['service_name', 'result_data'],
  beginUpload: ['sha256', 'size_bytes'],
  addArtifact: ['name', 'purpose'],
};
const PLATFORM_OPERATIONS: ReadonlySet<string> = new Set([
  'createOrganization',
  'createUser',
  'changeUser',
  'setPassword',
  'retireDatabase',
  'linkIdentity',
  'changeServer',
  'reconcileDatabases',
  'startMigrationRun',
  'pauseMigrationRun',
  'resumeMigrationRun',
  'retryMigrationRun',
  'rollBackMigrationRun',
  'createFleet',
]);
const MIB = 1024 * 1024;
const mostBytes = ({ operation }: BodyRoute): number => (operation === 'submitJobBatch' ? 8 : 1) * MIB;

interface BodyRoute {
  readonly method: Method;
  readonly path: string;
  readonly operation: string;
  readonly schema: BodySchema;
}

describe('Bad bodies', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let routes: readonly BodyRoute[];
  let job: Job;
  let fleetToken: string;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha', 'unused']);
    await deployment.register('alpha', 'unused');
    const platform = service.as(deployment.token(null, ['platform_admin']));
    const { key } = (await platform.post<{ key: string }>('/admin/service-accounts', { name: 'fleet' })).body;
    const login = await service.call<{ access_token: string }>('POST', '/auth/token', { body: { key } });
    fleetToken = login.body.access_token;
    const member = service.as(deployment.token('alpha', ['member']));
    job = (await member.post<Job>('/jobs', { engine: 'vina', inputs: { a: 1 } })).body;
    routes = bodyRoutes((await service.call<OpenApi>('GET', '/openapi.json')).body);
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const bodyRoutes = ({ paths, components }: OpenApi): readonly BodyRoute[] =>
    Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { operationId, requestBody }]) => {
        const stated = requestBody?.content['application/json']?.schema;
        if (stated === undefined) return [];
        const schema = components.schemas[stated.$ref?.split('/').at(-1) ?? ''] ?? stated;
        // OpenAPI's methods are these in lower case.
        return [
          {
            method: method.toUpperCase() as Method,
            path,
            operation: operationId.replace(/ByClaim$/, ''),
            schema,
          },
        ];
      }),
    );
  /** Somebody who may call the route for this organization; the body alone is wrong. */
  const send = ({ method, path, operation }: BodyRoute, organization: string, options: CallOptions) => {
    const token =
      operation === 'exchangeToken'
        ? fleetToken
        : PLATFORM_OPERATIONS.has(operation)
          ? deployment.token(null, ['platform_admin'])
          : deployment.token(organization, ['org_admin', 'member', 'worker']);
    const filled = path
      .replace('{org_id}', organization)
      .replace('{job_id}', job.job_id)
      .replace('{user_id}', job.job_id)
      .replace('{service_account_id}', job.job_id)
      .replace('{campaign_id}', job.job_id)
      .replace('{task_name}', 't')
      .replace('{server_id}', 'default')
      .replace('{run_id}', '1');
    return service.call<Problem>(method, filled, { token, ...options });
  };
  const everything = async () => ({
    metadata: await rowCounts(deployment, deployment.metadataDatabase),
    results: await rowCounts(deployment, deployment.databaseName('alpha')),
    databases: await deployment.databases(),
  });

  it('are looked for on every route of the contract that takes one', () => {
    expect(routes).to.have.length(56);
    for (const { operation, schema } of routes) {
      expect(Object.keys(schema.properties ?? {}), operation).to.have.members(
        Object.keys(BODIES[operation] ?? {}),
      );
      expect(schema.required ?? [], operation).to.have.members([...(REQUIRED[operation] ?? ['?'])]);
      expect(schema.additionalProperties, operation).to.equal(false);
    }
  });

  for (const organization of ['alpha', 'unused']) {
    it(`are 422, name the field, and write nothing, for ${organization === 'unused' ? 'a never-used organization' : 'one in use'}`, async () => {
      const before = await everything();
      let faults = 0;
      for (const route of routes) {
        for (const { what, path, body } of faultsOf(route.schema, BODIES[route.operation] ?? {})) {
          const reply = await send(route, organization, { body });
          const says = `${route.method} ${route.path}: ${what} → ${reply.text}`;
          expect([reply.status, reply.body.code], says).to.deep.equal([422, 'validation_failed']);
          const named = reply.body.errors?.map((error) => error.path) ?? [];
          expect(
            named.some((name) => name === path || name.startsWith(`${path}.`)),
            says,
          ).to.equal(true);
          for (const { message } of reply.body.errors ?? [])
            expect(message, says).to.be.a('string').that.is.not.empty;
          faults += 1;
        }
      }
      expect(faults).to.be.greaterThan(300);
      expect(await everything()).to.deep.equal(before);
    });
  }

  it('that are no JSON are 400, in another form 415, beyond what a route takes 413', async () => {
    const before = await everything();
    for (const route of routes) {
      const good = JSON.stringify(BODIES[route.operation]);
      for (const [options, status, code] of [
        [{ body: '{"engine":' }, 400, 'malformed_json'],
        [{ body: `${good}x` }, 400, 'malformed_json'],
        [{ body: "{'engine': 'vina'}" }, 400, 'malformed_json'],
        [{ body: Buffer.from([0x7b, 0xff, 0x7d]) }, 400, 'malformed_json'],
        [{ body: good, headers: { 'content-type': 'text/plain' } }, 415, 'unsupported_media_type'],
        [
          { body: 'engine=vina', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
          415,
          'unsupported_media_type',
        ],
        [
          { body: good, headers: { 'content-type': 'application/json; charset=utf-16' } },
          415,
          'unsupported_media_type',
        ],
        [{ body: good, headers: { 'content-encoding': 'gzip' } }, 415, 'unsupported_media_type'],
        [{ body: padded(good, mostBytes(route) + 1) }, 413, 'body_too_large'],
      ] as const) {
        const reply = await send(route, 'unused', options);
        expect([route.path, reply.status, reply.body.code]).to.deep.equal([route.path, status, code]);
      }
    }
    expect(await everything()).to.deep.equal(before);
  });

  it('of exactly 1 MiB are taken', async () => {
    const member = deployment.token('alpha', ['member']);
    const frame = JSON.stringify({ engine: 'vina', inputs: { text: '' } });
    const text = 'x'.repeat(MIB - Buffer.byteLength(frame));
    const body = JSON.stringify({ engine: 'vina', inputs: { text } });
    expect(Buffer.byteLength(body)).to.equal(MIB);

    const { status, body: made } = await service.call<Job>('POST', '/jobs', { token: member, body });

    expect([status, made.inputs]).to.deep.equal([201, { text }]);
    const tooLong = await service.call<Problem>('POST', '/jobs', { token: member, body: `${body} ` });
    expect([tooLong.status, tooLong.body.code]).to.deep.equal([413, 'body_too_large']);
  });

  it('do not keep what JSON and PostgreSQL can hold from coming back as it was sent', async () => {
    const member = service.as(deployment.token('alpha', ['member']));
    const inputs = {
      'sch\u00f6n': '日本 😀 \u0001 \\ " \u2028',
      deep: [[[{ a: null, b: false }]]],
      n: [1e300, -0.1, 5e-324],
      '': '',
    };
    const made = (await member.post<Job>('/jobs', { engine: 'vina', inputs })).body;
    expect((await member.get<Job>(`/jobs/${made.job_id}`)).body.inputs).to.deep.equal(inputs);
  });
});

/** White space after the value: valid JSON of that many bytes. */
const padded = (json: string, bytes: number): string => json + ' '.repeat(bytes - Buffer.byteLength(json));
