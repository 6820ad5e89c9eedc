import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { parseConfig, type Config } from '../../../infrastructure/config/config.ts';
import type { ServerConfig } from '../../../infrastructure/config/database-config.ts';
import { ConfigError } from '../../../infrastructure/config/config-error.ts';

type Values = Readonly<Record<string, string | undefined>>;

const SECRET = 's'.repeat(32);
const BASE = { DB_DATABASE_URL: 'postgresql://mad:pw@db:5432/mad', JWT_SECRET: SECRET };
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const RSA_PEM = RSA.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const EC_PEM = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .publicKey.export({ type: 'spki', format: 'pem' })
  .toString();

const parse = (values: Values = {}): Config => parseConfig({ ...BASE, ...values });

const problemsOf = (values: Values, base: Values = BASE): readonly string[] => {
  try {
    parseConfig({ ...base, ...values });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

const INTEGERS = [
  ['DB_POOL_SIZE', 1],
  ['DB_MAX_OVERFLOW', 0],
  ['DB_ORG_POOL_SIZE', 1],
  ['DB_ORG_MAX_OVERFLOW', 0],
  ['DB_ORG_MAX_WAITING', 0],
  ['DB_CONNECTION_BUDGET', 1],
  ['DB_MAX_POOLS', 1],
  ['DB_ACQUIRE_TIMEOUT_MS', 1],
  ['DB_CONNECT_TIMEOUT_MS', 1],
  ['DB_LOCK_TIMEOUT_MS', 1],
  ['DB_IDLE_IN_TRANSACTION_TIMEOUT_MS', 1],
  ['DB_STATEMENT_TIMEOUT_MS', 1],
  ['DB_IDLE_TIMEOUT_MS', 1],
  ['DB_HEALTH_INTERVAL_MS', 1],
  ['DB_LEASE_TIMEOUT_MS', 1],
  ['DB_SPARES_MIN', 0],
  ['DB_SPARES_MAX', 0],
  ['DB_MIGRATION_CONCURRENCY', 1],
  ['DB_MIGRATION_STATEMENT_TIMEOUT_MS', 1],
  ['DB_MIGRATION_LOCK_TIMEOUT_MS', 1],
  ['PORT', 0],
  ['JWT_ACCESS_TTL_SECONDS', 1],
  ['JWT_REFRESH_TTL_SECONDS', 1],
  ['LOGIN_ATTEMPTS_PER_ACCOUNT', 1],
  ['LOGIN_ATTEMPTS_PER_ADDRESS', 1],
  ['TRUSTED_PROXIES', 0],
  ['RESPONSE_BYTES_TOTAL', 4_194_304],
  ['RESPONSE_BYTES_PER_ORGANIZATION', 4_194_304],
  ['RESPONSE_STALL_MS', 1],
  ['RESPONSE_DEADLINE_MS', 1],
  ['PUBLIC_REQUESTS_PER_ADDRESS', 1],
  ['ORG_WRITE_BYTES_PER_SECOND', 1],
  ['ORG_WRITE_VALUES_PER_SECOND', 1],
  ['ORG_STORAGE_BYTES', 1],
  ['SHUTDOWN_TIMEOUT_MS', 1],
  ['SHUTDOWN_DELAY_MS', 0],
] as const;

const NOT_INTEGERS = [
  '',
  ' ',
  '5x',
  '1e3',
  '-1',
  '+5',
  '1.5',
  '0x10',
  ' 5',
  '5 ',
  '5\n',
  'NaN',
  '९',
  '9'.repeat(30),
];

const shown = ({ serverId, urls, connectionBudget }: ServerConfig): readonly [string, string, number] => [
  serverId,
  urls.redacted,
  connectionBudget,
];

describe('parseConfig', () => {
  it('takes the defaults of the contract', () => {
    const { database, http, tokens, ...rest } = parse();

    expect(rest).to.deep.equal({
      environment: 'development',
      logLevel: 'info',
      limits: {
        publicRequestsPerMinute: 1200,
        organization: {
          writeBytesPerSecond: 8_388_608,
          writeValuesPerSecond: 200_000,
          storageBytes: 21_474_836_480,
        },
      },
      files: {
        place: { kind: 'folder', folder: '.data/files' },
        maxFileBytes: 67_108_864,
        stallMs: 20_000,
        deadlineMs: 3_600_000,
        organizationBytes: 107_374_182_400,
      },
      tracing: null,
      loginAttempts: { perAccount: 10, perAddress: 100 },
      unknownVariables: [],
      shutdown: { timeoutMs: 25_000, delayMs: 0 },
      bootstrapAdministrator: null,
    });
    expect(http).to.deep.equal({
      host: '127.0.0.1',
      port: 3000,
      readyStrict: false,
      metricsEngines: ['vina'],
      trustedProxies: 0,
      responses: {
        totalBytes: 134_217_728,
        organizationBytes: 33_554_432,
        stallMs: 20_000,
        deadlineMs: 240_000,
      },
      corsOrigins: [],
    });
    const { metadataUrl, metadataAdminUrl, servers, ...settings } = database;
    expect(metadataUrl.toString()).to.equal(BASE.DB_DATABASE_URL);
    expect(metadataAdminUrl).to.equal(metadataUrl);
    expect(servers.map(shown)).to.deep.equal([
      ['default', 'postgresql://mad:***@db:5432/mad_results_{org_id}', 80],
    ]);
    expect(settings).to.deep.equal({
      autoCreate: true,
      metadataPool: { size: 20, maxOverflow: 30 },
      organizationPool: { size: 5, maxOverflow: 10 },
      maxOrganizationIdLength: 51,
      maxPools: 1000,
      acquireTimeoutMs: 5000,
      maxWaiting: 200,
      connectTimeoutMs: 3000,
      deadlines: { statementTimeoutMs: 30_000, lockTimeoutMs: 10_000, idleInTransactionTimeoutMs: 10_000 },
      idleTimeoutMs: 60_000,
      healthIntervalMs: 30_000,
      leaseTimeoutMs: 300_000,
      roles: null,
      spares: { min: 2, max: 20 },
      migration: { concurrency: 4, statementTimeoutMs: 600_000, lockTimeoutMs: 2000 },
    });
    expect(tokens).to.deep.equal({
      secret: SECRET,
      publicKey: null,
      jwksUrl: null,
      issuer: 'mad.local',
      externalIssuer: null,
      audience: 'mad',
      accessTtlSeconds: 3600,
      sessionTtlSeconds: 1_209_600,
    });
  });

  it('takes every variable', () => {
    const config = parse({
      DB_DATABASE_URL: 'postgresql+asyncpg://mad:pw@db/mad?sslmode=disable',
      DB_RESULTS_DB_TEMPLATE: 'postgres://res:pw@other:5433/r_{org_id}_x',
      DB_AUTO_CREATE_ORG_DBS: 'FALSE',
      DB_POOL_SIZE: '1',
      DB_MAX_OVERFLOW: '2',
      DB_ORG_POOL_SIZE: '3',
      DB_ORG_MAX_OVERFLOW: '4',
      DB_ORG_MAX_WAITING: '17',
      DB_CONNECTION_BUDGET: '5',
      DB_RESULTS_DB_TEMPLATE_US: 'postgres://us:pw@coast/results_{org_id}',
      DB_RESULTS_DB_TEMPLATE_EU_WEST: 'postgres://eu:pw@west/mad_{org_id}',
      DB_CONNECTION_BUDGET_EU_WEST: '6',
      DB_ADMIN_URL_METADATA: 'postgresql://owner:pw@db-behind/x',
      DB_ADMIN_URL: 'postgresql://owner:pw@other-behind/x',
      DB_ADMIN_URL_EU_WEST: 'postgresql://owner:pw@west-behind/x',
      DB_MAX_POOLS: '6',
      DB_ACQUIRE_TIMEOUT_MS: '7',
      DB_CONNECT_TIMEOUT_MS: '8',
      DB_STATEMENT_TIMEOUT_MS: '9',
      DB_LOCK_TIMEOUT_MS: '18',
      DB_IDLE_IN_TRANSACTION_TIMEOUT_MS: '19',
      DB_IDLE_TIMEOUT_MS: '10',
      DB_HEALTH_INTERVAL_MS: '11',
      DB_LEASE_TIMEOUT_MS: '12',
      DB_ORG_ROLES: '1',
      DB_ROLE_SECRET: 'r'.repeat(32),
      DB_ROLE_SECRET_OTHER: 'o'.repeat(32),
      DB_SPARES_MIN: '2',
      DB_SPARES_MAX: '9',
      DB_MIGRATION_CONCURRENCY: '13',
      DB_MIGRATION_STATEMENT_TIMEOUT_MS: '14',
      DB_MIGRATION_LOCK_TIMEOUT_MS: '15',
      HOST: '::',
      PORT: '0',
      NODE_ENV: 'production',
      LOG_LEVEL: 'warn',
      READY_STRICT: 'True',
      METRICS_ENGINES: 'vina, gnina-1.1',
      TRUSTED_PROXIES: '2',
      RESPONSE_BYTES_TOTAL: '9000000',
      RESPONSE_BYTES_PER_ORGANIZATION: '5000000',
      RESPONSE_STALL_MS: '20',
      RESPONSE_DEADLINE_MS: '21',
      CORS_ORIGINS: 'https://lab.example, http://[::1]:8080',
      SHUTDOWN_TIMEOUT_MS: '20',
      SHUTDOWN_DELAY_MS: '16',
      JWT_ISSUER: 'https://issuer.example',
      JWT_EXTERNAL_ISSUER: 'https://people.example',
      JWT_AUDIENCE: 'api',
      JWT_ACCESS_TTL_SECONDS: '60',
      JWT_REFRESH_TTL_SECONDS: '600',
      LOGIN_ATTEMPTS_PER_ACCOUNT: '3',
      LOGIN_ATTEMPTS_PER_ADDRESS: '7',
      JWT_JWKS_URL: 'https://issuer.example/keys',
      BOOTSTRAP_ADMIN_EMAIL: 'root@example.org',
      BOOTSTRAP_ADMIN_PASSWORD: 'correct horse',
    });

    const { metadataUrl, metadataAdminUrl, servers, ...settings } = config.database;
    expect(metadataUrl.toString()).to.equal('postgresql://mad:pw@db/mad?sslmode=disable');
    expect(metadataAdminUrl.toString()).to.equal('postgresql://owner:pw@db-behind/mad');
    expect(servers.map(({ urls }) => urls.adminUrl.toString())).to.deep.equal([
      'postgresql://owner:pw@other-behind/postgres',
      'postgresql://owner:pw@west-behind/postgres',
      'postgresql://us:pw@coast/postgres',
    ]);
    expect(servers.map(shown)).to.deep.equal([
      ['default', 'postgresql://res:***@other:5433/r_{org_id}_x', 5],
      ['eu_west', 'postgresql://eu:***@west/mad_{org_id}', 6],
      ['us', 'postgresql://us:***@coast/results_{org_id}', 5],
    ]);
    expect(settings).to.deep.equal({
      autoCreate: false,
      metadataPool: { size: 1, maxOverflow: 2 },
      organizationPool: { size: 3, maxOverflow: 4 },
      maxOrganizationIdLength: 55,
      maxPools: 6,
      maxWaiting: 17,
      acquireTimeoutMs: 7,
      connectTimeoutMs: 8,
      deadlines: { statementTimeoutMs: 9, lockTimeoutMs: 18, idleInTransactionTimeoutMs: 19 },
      idleTimeoutMs: 10,
      healthIntervalMs: 11,
      leaseTimeoutMs: 12,
      roles: { secret: 'r'.repeat(32), otherSecret: 'o'.repeat(32) },
      spares: { min: 2, max: 9 },
      migration: { concurrency: 13, statementTimeoutMs: 14, lockTimeoutMs: 15 },
    });
    expect(config.http).to.deep.equal({
      host: '::',
      port: 0,
      readyStrict: true,
      metricsEngines: ['vina', 'gnina-1.1'],
      trustedProxies: 2,
      responses: { totalBytes: 9_000_000, organizationBytes: 5_000_000, stallMs: 20, deadlineMs: 21 },
      corsOrigins: ['https://lab.example', 'http://[::1]:8080'],
    });
    expect(config.loginAttempts).to.deep.equal({ perAccount: 3, perAddress: 7 });
    expect(config.shutdown).to.deep.equal({ timeoutMs: 20, delayMs: 16 });
    expect(config.environment).to.equal('production');
    expect(config.logLevel).to.equal('warn');
    expect(config.tokens).to.deep.equal({
      secret: SECRET,
      publicKey: null,
      jwksUrl: 'https://issuer.example/keys',
      issuer: 'https://issuer.example',
      externalIssuer: 'https://people.example',
      audience: 'api',
      accessTtlSeconds: 60,
      sessionTtlSeconds: 600,
    });
    expect(config.bootstrapAdministrator).to.deep.equal({
      email: 'root@example.org',
      password: 'correct horse',
    });
  });

  it('takes an identity provider only beside its keys, and by a name of its own', () => {
    const issuer = 'https://people.example';
    expect(parse({ JWT_EXTERNAL_ISSUER: issuer, JWT_PUBLIC_KEY: RSA_PEM }).tokens.externalIssuer).to.equal(
      issuer,
    );
    expect(problemsOf({ JWT_EXTERNAL_ISSUER: issuer })).to.deep.equal([
      'JWT_EXTERNAL_ISSUER holds an issuer; it takes no value where neither JWT_PUBLIC_KEY nor JWT_JWKS_URL is set',
    ]);
    expect(problemsOf({ JWT_EXTERNAL_ISSUER: 'mad.local', JWT_PUBLIC_KEY: RSA_PEM })).to.deep.equal([
      'JWT_EXTERNAL_ISSUER holds the value of JWT_ISSUER; it takes another issuer',
    ]);
  });

  it('names what the environment would add to a URL that says less, and shows no value', () => {
    const url = 'postgresql://mad:pw@db:5432/mad?sslmode=disable';
    const lines = problemsOf({
      DB_DATABASE_URL: url,
      DB_RESULTS_DB_TEMPLATE: 'postgresql://mad@db/r_{org_id}',
      PGHOST: 'elsewhere',
      PGUSER: 'CANARY',
      PGPASSWORD: 'CANARY',
      PGSSLMODE: 'require',
      PGOPTIONS: '-c search_path=x',
    });

    expect(lines).to.deep.equal([
      'PGOPTIONS is set; DB_DATABASE_URL alone says where its database is: write options into it, or unset PGOPTIONS',
      ...['password', 'options', 'sslmode'].map(
        (parameter) =>
          `PG${parameter.toUpperCase()} is set; DB_RESULTS_DB_TEMPLATE alone says where its database is: ` +
          `write ${parameter} into it, or unset PG${parameter.toUpperCase()}`,
      ),
    ]);
    expect(problemsOf({ DB_DATABASE_URL: url, PGHOST: 'h', PGUSER: 'u', PGPASSWORD: 'p' })).to.deep.equal([]);
  });

  describe('servers of results databases', () => {
    const EU = 'postgres://eu:CANARY@west/mad_{org_id}';

    it('are named by the ends of the variables, in lower case, the default one first', () => {
      const { servers } = parse({
        DB_RESULTS_DB_TEMPLATE_Eu_2: EU,
        DB_RESULTS_DB_TEMPLATE_ASIA: EU,
      }).database;
      expect(servers.map(({ serverId }) => serverId)).to.deep.equal(['default', 'asia', 'eu_2']);
    });

    it('share the shortest id that fits into all of their names', () => {
      const long = `postgres://eu:pw@west/${'x'.repeat(40)}{org_id}`;
      expect(parse({ DB_RESULTS_DB_TEMPLATE_EU: long }).database.maxOrganizationIdLength).to.equal(23);
    });

    it('have the default budget unless they have one of their own', () => {
      const budgets = (values: Values): readonly number[] =>
        parse({ DB_RESULTS_DB_TEMPLATE_EU: EU, ...values }).database.servers.map(
          ({ connectionBudget }) => connectionBudget,
        );
      expect(budgets({})).to.deep.equal([80, 80]);
      expect(budgets({ DB_CONNECTION_BUDGET: '7' })).to.deep.equal([7, 7]);
      expect(budgets({ DB_CONNECTION_BUDGET: '7', DB_CONNECTION_BUDGET_EU: '9' })).to.deep.equal([7, 9]);
      expect(problemsOf({ DB_RESULTS_DB_TEMPLATE_EU: EU, DB_CONNECTION_BUDGET_EU: '0' })).to.deep.equal([
        'DB_CONNECTION_BUDGET_EU holds "0"; it takes a whole number from 1 to 10000',
      ]);
    });

    for (const [end, problem] of [
      ['2ND', '"2nd" must consist of'],
      ['EU-WEST', '"eu-west" must consist of'],
      ['X'.repeat(31), 'must consist of 1 to 30 lower-case letters'],
      ['DEFAULT', '"default" is DB_RESULTS_DB_TEMPLATE'],
      ['METADATA', '"metadata" is reserved'],
    ] as const) {
      it(`are not called ${end}`, () => {
        const variable = `DB_RESULTS_DB_TEMPLATE_${end}`;
        const [line = '', ...others] = problemsOf({ [variable]: EU });
        expect(others).to.deep.equal([]);
        expect(line).to.match(new RegExp(`^${variable} holds .*; it takes `));
        expect(line).to.contain(problem).and.not.contain('CANARY');
      });
    }

    it('are not called the same but for the case', () => {
      expect(problemsOf({ DB_RESULTS_DB_TEMPLATE_EU: EU, DB_RESULTS_DB_TEMPLATE_eu: EU })).to.deep.equal([
        'DB_RESULTS_DB_TEMPLATE_eu holds a server; it takes a name of its own: there is another "eu"',
      ]);
    });

    it('are behind a pooler where a URL of their own is given, the metadata database as well on the same server', () => {
      const { metadataUrl, metadataAdminUrl, servers } = parse({
        DB_RESULTS_DB_TEMPLATE_EU: EU,
        DB_ADMIN_URL: 'postgresql://owner:pw@behind:5433/postgres',
      }).database;
      expect(metadataAdminUrl.toString()).to.equal(
        `postgresql://owner:pw@behind:5433/${metadataUrl.database}`,
      );
      expect(servers.map(({ urls }) => urls.isPooled)).to.deep.equal([true, false]);
      expect(servers[0].urls.ownerUrlFor('x').toString()).to.equal('postgresql://owner:pw@behind:5433/x');
      expect(servers[0].urls.urlForDatabase('x').servers[0]?.host).to.equal('db');
    });

    it('leave the metadata database where it is when they are elsewhere', () => {
      const { metadataUrl, metadataAdminUrl } = parse({
        DB_RESULTS_DB_TEMPLATE: EU,
        DB_ADMIN_URL: 'postgresql://owner:pw@behind:5433/postgres',
      }).database;
      expect(metadataAdminUrl).to.equal(metadataUrl);
    });

    it('are there for each URL of an administrator', () => {
      expect(problemsOf({ DB_ADMIN_URL_EU: 'postgresql://h/d' })).to.deep.equal([
        'DB_ADMIN_URL_EU holds a URL; it takes a server of the same name: DB_RESULTS_DB_TEMPLATE_EU is not set',
      ]);
    });

    it('are there for each budget', () => {
      expect(problemsOf({ DB_CONNECTION_BUDGET_EU: '5' })).to.deep.equal([
        'DB_CONNECTION_BUDGET_EU holds a budget; it takes a server of the same name: DB_RESULTS_DB_TEMPLATE_EU is not set',
      ]);
    });

    it('are refused as the default one is, with the variable that says so', () => {
      const [noPlace = '', ...none] = problemsOf({
        DB_RESULTS_DB_TEMPLATE_EU: 'postgres://eu:CANARY@west/mad',
      });
      expect(none).to.deep.equal([]);
      expect(noPlace)
        .to.match(/^DB_RESULTS_DB_TEMPLATE_EU holds /)
        .and.not.contain('CANARY');
      const [taken = '', ...others] = problemsOf({
        DB_RESULTS_DB_TEMPLATE_EU: 'postgres://eu:CANARY@west/ma{org_id}',
      });
      expect(others).to.deep.equal([]);
      expect(taken).to.match(/^DB_DATABASE_URL holds the database "mad"; .* by DB_RESULTS_DB_TEMPLATE_EU/);
    });
  });

  describe('traces', () => {
    const ON = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };

    it('where a collector is named, every one of them unless a sampler says less', () => {
      expect(parse({ OTEL_TRACES_SAMPLER: 'always_on', TRACE_ORGANIZATIONS: 'true' }).tracing).to.equal(null);
      expect(parse(ON).tracing).to.deep.equal({
        endpoint: 'http://collector:4318',
        headers: '',
        serviceName: null,
        sampler: { name: 'parentbased_always_on', ratio: 1 },
        namesOrganizations: false,
      });
      const { tracing } = parse({
        ...ON,
        OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b,y=1',
        OTEL_SERVICE_NAME: 'mad-eu',
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.25',
      });
      expect(tracing).to.deep.include({
        headers: 'x-key=a%20b,y=1',
        serviceName: 'mad-eu',
        sampler: { name: 'parentbased_traceidratio', ratio: 0.25 },
      });
    });

    for (const [name, texts] of [
      [
        'OTEL_EXPORTER_OTLP_ENDPOINT',
        ['', 'collector:4318', 'grpc://collector', 'http://u:canary@collector'],
      ],
      ['OTEL_EXPORTER_OTLP_HEADERS', ['canary', 'a b=canary']],
      ['OTEL_SERVICE_NAME', ['', 'x'.repeat(101), 'a\nb']],
      ['OTEL_TRACES_SAMPLER', ['', 'ratio', 'parentbased_jaeger_remote']],
      ['OTEL_TRACES_SAMPLER_ARG', ['', '10%', '1.1', '-0.1', '1e-1', 'NaN']],
    ] as const) {
      it(`not with a ${name} that means nothing`, () => {
        for (const text of texts) {
          const [line = '', ...others] = problemsOf({ ...ON, [name]: text });
          expect(others, text).to.deep.equal([]);
          expect(line, text).to.match(new RegExp(`^${name} holds .*; it takes `));
          expect(line).not.to.include('canary');
        }
      });
    }
  });

  it('is frozen in depth', () => {
    const config = parse();

    expect(config).to.be.frozen;
    expect(config.database).to.be.frozen;
    expect(config.database.spares).to.be.frozen;
    expect(config.tokens).to.be.frozen;
  });

  for (const [name, min] of INTEGERS) {
    it(`takes whole numbers alone for ${name}`, () => {
      for (const text of [...NOT_INTEGERS, ...(min === 1 ? ['0'] : [])]) {
        const [problem = '', ...others] = problemsOf({ [name]: text });
        expect(others, text).to.deep.equal([]);
        expect(problem).to.match(
          new RegExp(`^${name} holds ".*"; it takes a whole number from ${min} to \\d+$`),
        );
        expect(problem).to.contain(`holds ${JSON.stringify(text)};`);
      }
    });
  }

  it('refuses a port above 65535', () => {
    expect(problemsOf({ PORT: '65536' })).to.deep.equal([
      'PORT holds "65536"; it takes a whole number from 0 to 65535',
    ]);
  });

  for (const name of ['DB_AUTO_CREATE_ORG_DBS', 'READY_STRICT', 'DB_ORG_ROLES']) {
    it(`takes true, false, 1 and 0 alone for ${name}`, () => {
      for (const text of ['', 'yes', 'no', 'on', '2', ' true', 'truee']) {
        expect(problemsOf({ [name]: text })).to.deep.equal([
          `${name} holds "${text}"; it takes true or false (1 or 0)`,
        ]);
      }
    });
  }

  it('names the choices of NODE_ENV and LOG_LEVEL', () => {
    expect(problemsOf({ NODE_ENV: 'staging', LOG_LEVEL: 'INFO' })).to.deep.equal([
      'NODE_ENV holds "staging"; it takes one of development, production, test',
      'LOG_LEVEL holds "INFO"; it takes one of fatal, error, warn, info, debug, trace, silent',
    ]);
  });

  it('refuses a host that is neither address nor name', () => {
    for (const text of ['', 'a b', '-a', 'a-', 'http://a', 'a'.repeat(300)]) {
      expect(problemsOf({ HOST: text })).to.have.length(1);
    }
    for (const text of ['0.0.0.0', '::1', '::ffff:127.0.0.1', 'localhost', 'a', 'host-1.example']) {
      expect(problemsOf({ HOST: text })).to.deep.equal([]);
    }
  });

  it('refuses an address of files of which it would read a part alone, and shows no credentials in it', () => {
    const misread = [
      's3://minio:9000/bucket',
      's3://bucket#prefix',
      's3://bucket?path_style=1',
      's3://bucket?region=',
      's3://bucket?region=a&region=b',
      's3://bucket?prefix=a',
      's3://bucket?endpoint=minio',
      'file:///srv/files?region=a',
      'file:///srv/files#a',
      's3://key:hunter2@bucket',
      's3://bucket?endpoint=https://key:hunter2@minio.example',
      's3://AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY@bucket/p',
      's3://b?endpoint=https://key:hun/ter2@minio',
      's3://bucket?endpoint=https://key:hunter2%40minio.example',
      's3://bucket?secret_access_key=hunter2',
      's3:key:hunter2@bucket',
    ];
    for (const text of misread) {
      expect(problemsOf({ FILES_URL: text })).to.deep.equal([
        `FILES_URL holds a text of ${text.length} characters; it takes file:///folder or s3://bucket/prefix without ` +
          'credentials, which may end with ?region=…&endpoint=…&path_style=true',
      ]);
    }
    const { place } = parse({
      FILES_URL: 's3://bucket/a/b/?region=eu-central-1&endpoint=http://minio:9000&path_style=true',
    }).files;
    expect(place).to.deep.equal({
      kind: 's3',
      bucket: 'bucket',
      prefix: 'a/b',
      region: 'eu-central-1',
      endpoint: 'http://minio:9000',
      forcePathStyle: true,
    });
  });

  it('tells all problems of a start, one line each', () => {
    const problems = problemsOf({
      PORT: 'a\nb',
      DB_POOL_SIZE: '0',
      READY_STRICT: 'maybe',
      JWT_SECRET: 'short',
    });

    expect(problems).to.have.length(4);
    expect(problems.join('')).to.not.contain('\n');
  });

  it('shows nothing of a URL that came to a variable for something else', () => {
    for (const name of ['CORS_ORIGINS', 'HOST', 'PORT', 'LOG_LEVEL'])
      for (const text of ['https://key:hun/ter2@lab.example', 'https:/key:hunter2@lab', '//k:hunter2%40lab'])
        expect(problemsOf({ [name]: text })[0]).to.match(
          new RegExp(`^${name} holds a text of ${text.length} characters; it takes `),
        );
  });

  it('cuts a long value', () => {
    expect(problemsOf({ PORT: 'x'.repeat(1000) })[0]).to.have.length.below(150);
  });

  it('carries the problems, a line each, as the message', () => {
    expect(() => parse({ PORT: 'x', DB_POOL_SIZE: 'y' })).to.throw(
      ConfigError,
      /^PORT holds[^\n]*\nDB_POOL_SIZE holds[^\n]*$/,
    );
  });
});

describe('parseConfig, databases', () => {
  it('requires DB_DATABASE_URL', () => {
    expect(problemsOf({}, { JWT_SECRET: SECRET })).to.deep.equal([
      'DB_DATABASE_URL is not set; it takes postgresql://user:password@host:5432/database',
    ]);
  });

  it('says what is wrong with a database URL', () => {
    const cases = [
      ['', 'must begin with postgresql://'],
      ['mysql://u:p@h/d', 'must begin with postgresql://'],
      ['postgresql://u:p@h:5432', 'names no database'],
      ['postgresql://u:p@h:5432/', 'names no database'],
      ['postgresql://u:p@a,/d', 'hosts is empty'],
      ['postgresql://u:p@h/d?host=a,b&port=1,2,3', '2 hosts and 3 ports'],
      [
        'postgresql://u:p@a,b/d?target_session_attrs=rw',
        'target_session_attrs must be one of any, read-write',
      ],
      [`postgresql://u:p@h/${'d'.repeat(64)}`, '63 bytes'],
    ] as const;
    for (const [text, problem] of cases) {
      const [line = ''] = problemsOf({ DB_DATABASE_URL: text });
      expect(line).to.match(/^DB_DATABASE_URL holds .* \(.*\); it takes postgresql:/);
      expect(line).to.contain(problem);
    }
  });

  it('requires {org_id} in the database name of the template, once', () => {
    const templates = [
      'postgresql://u:p@h/mad_results',
      'postgresql://u:p@h/{org_id}_{org_id}',
      'postgresql://{org_id}:p@h/results',
      'postgresql://u:{org_id}@h/results_{org_id}',
      'postgresql://u:p@h/results_{org_id}?application_name={org_id}',
      'postgresql://u:p@h/results_{org_id}?application_name=%7Borg_id%7D',
      'postgresql://u:p@h/results?application_name={org_id}',
    ];
    for (const text of templates) {
      const [line = ''] = problemsOf({ DB_RESULTS_DB_TEMPLATE: text });
      expect(line, text).to.match(
        /^DB_RESULTS_DB_TEMPLATE holds .*; it takes such a URL with \{org_id\} once/,
      );
    }
  });

  it('refuses a metadata database that could be an organization’s', () => {
    const [line] = problemsOf({ DB_DATABASE_URL: 'postgresql://u:canary@h/mad_results_meta' });

    expect(line).to.equal(
      'DB_DATABASE_URL holds the database "mad_results_meta"; it takes one that cannot be an organization\'s by ' +
        'DB_RESULTS_DB_TEMPLATE (postgresql://u:***@h/mad_results_{org_id})',
    );
  });

  it('requires a secret where each organization has a role', () => {
    expect(problemsOf({ DB_ORG_ROLES: 'true' })).to.deep.equal([
      'DB_ROLE_SECRET is not set; it takes at least 32 characters',
    ]);
    expect(problemsOf({ DB_ORG_ROLES: 'true', DB_ROLE_SECRET: 'canary' })).to.deep.equal([
      'DB_ROLE_SECRET holds a text of 6 characters; it takes at least 32 characters',
    ]);
    expect(parse({ DB_ROLE_SECRET: SECRET }).database.roles).to.equal(null);
    expect(problemsOf({ DB_ORG_ROLES: 'true', DB_ROLE_SECRET_OTHER: SECRET })).to.deep.equal([
      'DB_ROLE_SECRET is not set; it takes at least 32 characters',
    ]);
    expect(parse({ DB_ORG_ROLES: 'true', DB_ROLE_SECRET: SECRET }).database.roles).to.deep.equal({
      secret: SECRET,
      otherSecret: null,
    });
  });

  it('keeps the delay of a stop within its time', () => {
    expect(problemsOf({ SHUTDOWN_TIMEOUT_MS: '5000', SHUTDOWN_DELAY_MS: '5000' })).to.deep.equal([
      'SHUTDOWN_DELAY_MS holds "5000"; it takes less than SHUTDOWN_TIMEOUT_MS, which is 5000',
    ]);
  });

  it('keeps the ceiling of the spares above their floor', () => {
    expect(problemsOf({ DB_SPARES_MIN: '3', DB_SPARES_MAX: '2' })).to.deep.equal([
      'DB_SPARES_MAX holds "2"; it takes at least DB_SPARES_MIN, which is 3',
    ]);
    expect(parse({ DB_SPARES_MIN: '30' }).database.spares).to.deep.equal({ min: 30, max: 30 });
  });
});

describe('parseConfig, tokens', () => {
  const WITHOUT_SECRET = { DB_DATABASE_URL: BASE.DB_DATABASE_URL };

  it('requires a secret of 32 characters unless another kind of key is given', () => {
    expect(problemsOf({}, WITHOUT_SECRET)).to.deep.equal([
      'JWT_SECRET is not set; it takes at least 32 characters (or set JWT_PUBLIC_KEY or JWT_JWKS_URL)',
    ]);
    expect(problemsOf({ JWT_SECRET: 'x'.repeat(31) })).to.deep.equal([
      'JWT_SECRET holds a text of 31 characters; it takes at least 32 characters',
    ]);
    expect(parseConfig({ ...WITHOUT_SECRET, JWT_PUBLIC_KEY: RSA_PEM }).tokens.secret).to.equal(null);
    expect(parseConfig({ ...WITHOUT_SECRET, JWT_JWKS_URL: 'https://k.example/k' }).tokens.secret).to.equal(
      null,
    );
  });

  it('takes a public key whose line breaks are written as \\n', () => {
    const escaped = RSA_PEM.replaceAll('\n', String.raw`\n`);

    expect(parse({ JWT_PUBLIC_KEY: escaped }).tokens.publicKey).to.equal(RSA_PEM.trim());
    expect(parse({ JWT_PUBLIC_KEY: EC_PEM }).tokens.publicKey).to.equal(EC_PEM.trim());
  });

  it('refuses a private key, a weak one and one of another kind, and shows none', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    const ed25519 = generateKeyPairSync('ed25519').publicKey;
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
    const pems = [
      RSA.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      ...[weak, ed25519, p384].map((key) => key.export({ type: 'spki', format: 'pem' }).toString()),
      'not a key',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
      '',
    ];
    for (const pem of pems) {
      const [line] = problemsOf({ JWT_PUBLIC_KEY: pem });
      expect(line).to.match(/^JWT_PUBLIC_KEY holds a text of \d+ characters; it takes a PEM public key/);
    }
  });

  it('refuses a key set address that is no URL, holds credentials, or is plain http in production', () => {
    for (const text of ['', 'x', 'ftp://a/b', 'file:///etc/passwd', 'https://u:canary@a/b', 'https://a /b']) {
      expect(problemsOf({ JWT_JWKS_URL: text }), text).to.have.length(1);
    }
    expect(problemsOf({ JWT_JWKS_URL: 'http://keys:8080/k' })).to.deep.equal([]);
    expect(problemsOf({ JWT_JWKS_URL: 'http://keys:8080/k', NODE_ENV: 'production' })).to.deep.equal([
      'JWT_JWKS_URL holds a text of 18 characters; it takes an https:// URL without credentials',
    ]);
    expect(problemsOf({ JWT_JWKS_URL: 'http://127.0.0.1/k', NODE_ENV: 'production' })).to.deep.equal([]);
  });

  it('refuses a public key beside a key set', () => {
    expect(problemsOf({ JWT_PUBLIC_KEY: RSA_PEM, JWT_JWKS_URL: 'https://k.example/k' })).to.deep.equal([
      'JWT_PUBLIC_KEY holds a key; it takes no value where JWT_JWKS_URL is set',
    ]);
  });

  it('refuses an empty issuer or audience', () => {
    expect(problemsOf({ JWT_ISSUER: '', JWT_AUDIENCE: 'a\u0000' })).to.deep.equal([
      'JWT_ISSUER holds ""; it takes 1 to 255 printable characters',
      String.raw`JWT_AUDIENCE holds "a\u0000"; it takes 1 to 255 printable characters`,
    ]);
  });
});

describe('parseConfig, secrets', () => {
  it('requires both halves of the first administrator', () => {
    expect(problemsOf({ BOOTSTRAP_ADMIN_EMAIL: 'a@b' })).to.deep.equal([
      'BOOTSTRAP_ADMIN_PASSWORD is not set; it takes 8 to 1024 characters, as BOOTSTRAP_ADMIN_EMAIL is set',
    ]);
    expect(problemsOf({ BOOTSTRAP_ADMIN_PASSWORD: 'canary-password' })).to.deep.equal([
      'BOOTSTRAP_ADMIN_EMAIL is not set; it takes an e-mail address, as BOOTSTRAP_ADMIN_PASSWORD is set',
    ]);
    expect(problemsOf({ BOOTSTRAP_ADMIN_EMAIL: 'a', BOOTSTRAP_ADMIN_PASSWORD: 'short' })).to.deep.equal([
      'BOOTSTRAP_ADMIN_EMAIL holds "a"; it takes an e-mail address',
      'BOOTSTRAP_ADMIN_PASSWORD holds a text of 5 characters; it takes 8 to 1024 characters',
    ]);
  });

  it('shows no password and no secret in any message', () => {
    const urls = [
      'mysql://u:CANARY@h/d',
      'postgresql://u:CANARY@h',
      'postgresql://u:CANARY@h:99999/d',
      'postgresql://u:CANARY@a,b/d',
      'postgresql://u:CANARY w@h/d',
      'postgresql://u:x#CANARY@h/d',
      'postgresql://u:12#CANARY@h/d',
      'postgresql://u:x?CANARY@h/d',
      'postgresql://u:x/CANARY@h/d',
      'postgresql://u:12/CANARY@h/d',
      'postgresql://u:x@CANARY?y@h/d',
      'postgresql://u:x@CANARY@h/d d',
      'postgresql://u:CANARY%zz@h/d',
      'postgresql://u:CANARY',
      'postgresql://h?password=CANARY',
      'postgresql://u@h/?user=x&sslpassword=CANARY',
      'postgresql://u@h/d?dbname=x&pass%77ord=CANARY',
      'CANARY',
      'u:CANARY@h/d',
      '//u:CANARY@h/d',
    ];
    for (const url of urls) {
      const problems = problemsOf({ DB_DATABASE_URL: url, DB_RESULTS_DB_TEMPLATE: url });
      expect(problems, url).to.have.length.of.at.least(1);
      expect(problems.join('\n'), url).to.not.contain('CANARY');
    }
    const problems = problemsOf({
      DB_DATABASE_URL: 'postgresql://u:CANARY@h/mad_results_x?password=CANARY',
      DB_RESULTS_DB_TEMPLATE: 'postgresql://u:CANARY@h/mad_results_{org_id}?sslpassword=CANARY',
      JWT_SECRET: 'CANARY',
      JWT_PUBLIC_KEY: 'CANARY',
      JWT_JWKS_URL: 'https://u:CANARY@h',
      DB_ROLE_SECRET: 'CANARY',
      DB_ROLE_SECRET_OTHER: 'CANARY',
      BOOTSTRAP_ADMIN_PASSWORD: 'CANARY',
    });
    expect(problems).to.have.length(8);
    expect(problems.join('\n')).to.not.contain('CANARY');
  });
});
