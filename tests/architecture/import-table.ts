import type { Import, SourceModule } from './source-module.ts';

/** What the modules of one part of the project may import. */
export interface Zone {
  readonly name: string;
  /** Which files it is about. The first zone that fits a file counts. */
  readonly files: RegExp;
  /** Files of the project. */
  readonly project: RegExp;
  readonly packages: ReadonlySet<string> | 'all but test tools';
  /** Packages of which the types alone. */
  readonly typesOf?: ReadonlySet<string>;
  /** Whether modules of Node. */
  readonly node: boolean;
}

const NOTHING = /^$/;
const NONE: ReadonlySet<string> = new Set();

/** Each adapter has one technology: its own packages, and no other adapter. */
const ADAPTERS: Readonly<Record<string, readonly string[]>> = {
  argon2: ['@node-rs/argon2'],
  canonicalize: ['canonicalize'],
  'file-store': ['@aws-sdk/client-s3', '@aws-sdk/lib-storage', '@aws-sdk/s3-request-presigner'],
  ipaddr: ['ipaddr.js'],
  jsonwebtoken: ['jsonwebtoken', 'lru-cache'],
  knex: ['knex'],
  'node-crypto': [],
  opentelemetry: [
    '@opentelemetry/api',
    '@opentelemetry/core',
    '@opentelemetry/otlp-exporter-base',
    '@opentelemetry/sdk-trace',
  ],
  pino: ['pino'],
  prometheus: ['prom-client'],
  'rate-limiter-flexible': ['rate-limiter-flexible'],
  uuid: ['uuid'],
};

/** The infrastructure, from the ground up: a floor imports itself and those before it, and nothing that stands on it. */
export const FLOORS: readonly { readonly name: string; readonly packages: readonly string[] }[] = [
  { name: 'timing', packages: [] },
  { name: 'postgres', packages: ['pg', 'pg-connection-string', 'pg-protocol'] },
  { name: 'pools', packages: [] },
  { name: 'migrations', packages: ['knex'] },
  { name: 'servers', packages: [] },
  { name: 'routing', packages: [] },
  { name: 'fleet', packages: ['knex', 'pg'] },
  { name: 'changes', packages: [] },
  { name: 'background', packages: [] },
  { name: 'http-server', packages: ['ipaddr.js'] },
  { name: 'config', packages: ['fastest-levenshtein', 'ipaddr.js'] },
  { name: 'local', packages: ['zod'] },
  { name: 'knex-command', packages: ['knex'] },
];

/** Below the folders of the resources, in the same order. */
export const HTTP_FLOORS: readonly string[] = ['errors', 'request', 'routing'];
const HTTP_PACKAGES: ReadonlySet<string> = new Set([
  '@fastify/busboy',
  'compression',
  'content-disposition',
  'cors',
  'express',
  'express-async-errors',
  'helmet',
  'raw-body',
  'zod',
  'zod-openapi',
]);

export const ZONES: readonly Zone[] = [
  { name: 'domain', files: /^domain\//, project: /^domain\//, packages: NONE, node: false },
  {
    name: 'application',
    files: /^application\//,
    project: /^(?:domain|application)\//,
    packages: NONE,
    node: false,
  },
  ...Object.entries(ADAPTERS).map(([technology, packages]) => ({
    name: `adapters/${technology}`,
    files: new RegExp(`^adapters/${technology}/`),
    project: new RegExp(`^(?:domain/|application/ports/|adapters/${technology}/)`),
    packages: new Set(packages),
    node: true,
  })),
  {
    name: 'composition and bin',
    files: /^infrastructure\/(?:composition|bin)\//,
    project: /^(?!tests\/|migrations\/|knexfile)/,
    packages: 'all but test tools',
    node: true,
  },
  ...FLOORS.map(({ name, packages }, index) => ({
    name: `infrastructure/${name}`,
    files: new RegExp(`^infrastructure/${name}/`),
    project: new RegExp(
      `^(?:domain/|application/ports/|infrastructure/(?:${FLOORS.slice(0, index + 1)
        .map((floor) => floor.name)
        .join('|')})/)`,
    ),
    packages: new Set(packages),
    node: true,
  })),
  // Resources stand on the routing, which stands on the steps of a request, which stand on the errors.
  ...HTTP_FLOORS.map((name, index) => ({
    name: `presentation/http/${name}`,
    files: new RegExp(`^presentation/http/${name}/`),
    project: new RegExp(
      `^(?:domain/|application/|presentation/http/(?:http-dependencies\\.ts|(?:${HTTP_FLOORS.slice(0, index + 1).join('|')})/))`,
    ),
    packages: HTTP_PACKAGES,
    node: true,
  })),
  {
    name: 'presentation/http/console',
    files: /^presentation\/http\/console\//,
    project: /^(?:domain|application|presentation\/http)\//,
    // The second where the console was not built.
    packages: new Set([...HTTP_PACKAGES, 'esbuild']),
    node: true,
  },
  {
    name: 'presentation/http',
    files: /^presentation\/http\//,
    project: /^(?:domain|application|presentation\/http)\//,
    packages: HTTP_PACKAGES,
    node: true,
  },
  {
    // A client of the API that runs in browsers: it takes nothing from the service, not even a type.
    name: 'presentation/console',
    files: /^presentation\/console\//,
    project: /^presentation\/console\//,
    packages: new Set([
      '3dmol',
      '@tanstack/react-query',
      '@tanstack/react-router',
      '@tanstack/react-virtual',
      'd3-array',
      'd3-scale',
      'downshift',
      'eventsource-parser',
      'openapi-fetch',
      'react',
      'react-dom',
    ]),
    node: false,
  },
  {
    name: 'presentation/cli',
    files: /^presentation\/cli\//,
    project: /^(?:domain|application|presentation\/cli)\//,
    packages: new Set(['cli-progress', 'commander']),
    node: true,
  },
  {
    name: 'presentation/rest',
    files: /^presentation\/rest\//,
    project: /^(?:domain|presentation\/rest)\//,
    packages: new Set(['zod']),
    node: true,
  },
  {
    // A REST client: it stands on machines that reach no database.
    name: 'presentation/worker',
    files: /^presentation\/worker\//,
    project: /^(?:domain\/|application\/ports\/runtime\/|presentation\/(?:rest|worker)\/)/,
    packages: new Set(['zod']),
    node: true,
  },
  {
    // A REST client that runs a worker. `bin` hands it what an operator has beside the API.
    name: 'presentation/demo',
    files: /^presentation\/demo\//,
    project: /^(?:domain\/|application\/ports\/runtime\/|presentation\/(?:demo|rest|worker)\/)/,
    packages: new Set(['zod']),
    node: true,
  },
  {
    name: 'migrations',
    files: /^migrations\/(?:metadata|results)\//,
    project: NOTHING,
    packages: NONE,
    typesOf: new Set(['knex']),
    node: false,
  },
  {
    name: 'knexfile',
    files: /^knexfile\.ts$/,
    project: /^infrastructure\/knex-command\//,
    packages: NONE,
    typesOf: new Set(['knex']),
    node: false,
  },
  {
    // No database, no container: what a unit test takes from the shared support must not bring them in either.
    name: 'unit tests',
    files: /^tests\/unit\//,
    project:
      /^(?:domain|application|adapters|presentation|infrastructure\/(?!composition\/|bin\/)|tests\/unit|tests\/support\/(?:gate|random|fakes\/))/,
    packages: new Set([
      '@opentelemetry/core',
      'chai',
      'express',
      'jsonwebtoken',
      'pino',
      'prom-client',
      'supertest',
      'zod',
    ]),
    node: true,
  },
  {
    name: 'other tests',
    files: /^tests\//,
    project: /^/,
    packages: 'all but test tools',
    node: true,
  },
];

const TEST_TOOLS: ReadonlySet<string> = new Set([
  'chai',
  'mocha',
  'supertest',
  'testcontainers',
  '@testcontainers/postgresql',
  'oxc-parser',
]);

/** The one place that loads modules by names it finds on disk. */
const MAY_COMPUTE = /^infrastructure\/migrations\/migration-source\.ts$|^tests\//;

/** Names each import that the table does not allow; a file of no zone is a problem of its own. */
export const importProblems = ({ file, imports }: SourceModule): readonly string[] => {
  const zone = ZONES.find(({ files }) => files.test(file));
  if (zone === undefined) return [`${file} belongs to no zone of the import table`];
  return imports
    .filter((entry) => !isAllowed(zone, file, entry))
    .map(
      ({ target }) => `${file} (${zone.name}) must not import ${target ?? 'what it computes at run time'}`,
    );
};

const isAllowed = (zone: Zone, file: string, { kind, target, typeOnly }: Import): boolean => {
  if (kind === 'computed' || target === null) return MAY_COMPUTE.test(file);
  if (kind === 'node') return zone.node;
  if (kind === 'project') return zone.project.test(target);
  if (typeOnly && zone.typesOf?.has(target) === true) return true;
  if (zone.packages !== 'all but test tools') return zone.packages.has(target);
  return file.startsWith('tests/') || !TEST_TOOLS.has(target);
};
