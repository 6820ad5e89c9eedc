import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import {
  findEmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../infrastructure/local/embedded-postgres/embedded-postgres.ts';
import {
  metadataMigrations,
  MigrationSource,
  resultsMigrations,
} from '../../infrastructure/migrations/migration-source.ts';
import { Migrator } from '../../infrastructure/migrations/migrator.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { terminateBackends } from '../support/server-faults.ts';
import { createTestDirectory } from '../support/test-directories.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** As much of the project as the command needs. */
const CHECKOUT = [
  'knexfile.ts',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'domain',
  'application',
  'adapters',
  'infrastructure',
  'presentation',
  'migrations',
];

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the knex command', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  before(async () => {
    deployment = await createDeployment();
  });
  after(() => deployment.dispose());

  /** As `npm run knex -- …` does it, with the least environment. */
  const knex = (
    args: string,
    environment: Readonly<Record<string, string>> = {},
    cwd = PROJECT,
  ): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      const { DB_DATABASE_URL = '', DB_RESULTS_DB_TEMPLATE = '' } = deployment.environment;
      const child = spawn(process.execPath, ['infrastructure/bin/mad.cjs', 'knex', ...args.split(' ')], {
        cwd,
        env: {
          PATH: dirname(process.execPath),
          TMPDIR: tmpdir(),
          DB_DATABASE_URL,
          DB_RESULTS_DB_TEMPLATE,
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      child.on('error', reject);
      child.on('close', (status) => resolve({ status, stdout, stderr }));
    });

  const succeeds = async (args: string, environment?: Readonly<Record<string, string>>): Promise<string> => {
    const { status, stdout, stderr } = await knex(args, environment);
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
    return stdout;
  };

  const metadataUrl = (): DatabaseUrl => DatabaseUrl.parse(deployment.environment['DB_DATABASE_URL'] ?? '');
  const urlOf = (databaseName: string): DatabaseUrl => metadataUrl().withDatabase(databaseName);

  const tablesOf = async (databaseName: string): Promise<readonly string[]> => {
    const rows = await deployment.administer<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
      [],
      databaseName,
    );
    return rows.map(({ name }) => name).filter((name) => !name.startsWith('knex_'));
  };

  const RESULTS_TABLES = [
    'artifacts',
    'audit_outbox',
    'campaigns',
    'docking_jobs',
    'file_uploads',
    'files',
    'input_signatures',
    'job_attempts',
    'job_batches',
    'job_files',
    'job_scores',
    'task_results',
  ];

  it('finds the metadata database as the service left it, and the service finds it as the command left it', async () => {
    const names = await migrationNames(metadataMigrations);
    const status = await succeeds('migrate:status --env metadata');
    for (const name of names) expect(status).to.include(`${name}\n`);
    expect(status).to.include('No Pending Migration files Found');
    expect(await succeeds('migrate:latest --env metadata')).to.include('Already up to date');

    expect(await succeeds('migrate:rollback --env metadata')).to.include(`rolled back: ${names.length}`);
    expect(await tablesOf(metadataUrl().database)).to.deep.equal([]);
    expect(await succeeds('migrate:status --env metadata')).to.include(`Found ${names.length} Pending`);
    expect((await new Migrator(metadataMigrations).latest(metadataUrl())).applied).to.deep.equal(names);

    await succeeds('migrate:rollback --env metadata');
    expect(await succeeds('migrate:latest --env metadata')).to.include(`run: ${names.length} migrations`);
    expect((await new Migrator(metadataMigrations).latest(metadataUrl())).applied).to.deep.equal([]);
    expect(await succeeds('migrate:currentVersion --env metadata')).to.include(
      `Current Version: ${names.at(-1)?.split('_')[0]}`,
    );
  });

  it('makes the template when it is missing, and takes it down and up again', async () => {
    const template = deployment.databaseName('template');
    const names = await migrationNames(resultsMigrations);

    expect(await succeeds('migrate:latest --env results')).to.include(`run: ${names.length} migrations`);
    expect(await tablesOf(template)).to.deep.equal(RESULTS_TABLES);
    expect(await succeeds('migrate:rollback --env results --all')).to.include('rolled back');
    expect(await tablesOf(template)).to.deep.equal([]);

    // The other way round.
    expect((await new Migrator(resultsMigrations).latest(urlOf(template))).applied).to.deep.equal(names);
    expect(await succeeds('migrate:latest --env results')).to.include('Already up to date');
  });

  it('works on one organization alone, and tells the ledger', async () => {
    await deployment.register('acme', 'other');
    const manager = deployment.start().get(TOKENS.connectionManager);
    for (const id of ['acme', 'other']) (await manager.acquire(organizationId(id))).release();
    await manager.closeAll();
    const versions = (): Promise<readonly { org_id: string; schema_version: number }[]> =>
      deployment.administer(
        `select org_id, schema_version from organization_databases where org_id in ('acme', 'other') order by 1`,
        [],
        metadataUrl().database,
      );
    const newest = (await resultsMigrations.getMigrations()).length;
    const other = { org_id: 'other', schema_version: newest };

    const environment = { ORG_ID: 'acme' };
    expect(await succeeds('migrate:status --env results', environment)).to.include('No Pending');
    expect(await succeeds('migrate:rollback --env results --all', environment)).to.include('rolled back');
    expect(await tablesOf(deployment.databaseName('acme'))).to.deep.equal([]);
    expect(await tablesOf(deployment.databaseName('other'))).to.deep.equal(RESULTS_TABLES);
    expect(await versions()).to.deep.equal([{ org_id: 'acme', schema_version: 0 }, other]);

    expect(await succeeds('migrate:latest --env results', environment)).to.include(
      `run: ${newest} migrations`,
    );
    expect(await tablesOf(deployment.databaseName('acme'))).to.deep.equal(RESULTS_TABLES);
    expect(await versions()).to.deep.equal([{ org_id: 'acme', schema_version: newest }, other]);

    // Somebody's database got the name of another one's.
    const [acme, elsewhere] = [deployment.databaseName('acme'), deployment.databaseName('other')];
    for (const [from, to] of [
      [acme, `${acme}.moved`],
      [elsewhere, acme],
    ] as const) {
      await terminateBackends(deployment, from);
      await deployment.administer(`alter database "${from}" rename to "${to}"`);
    }
    const { status, stderr } = await knex('migrate:rollback --env results --all', environment);
    expect(status).to.equal(1);
    expect(stderr).to.match(/is not the one on record for the organization "acme"/);
    expect(await tablesOf(acme)).to.deep.equal(RESULTS_TABLES);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['SQL', `x"; drop database postgres; --`, /^ORG_ID holds "x\\"; drop .*must consist of/],
    ['the reserved id', 'template', /^ORG_ID holds "template", which is no organization id: it is reserved/],
    ['an empty text', '', /^ORG_ID holds "", /],
    [
      'more than the name of a database takes',
      'a'.repeat(60),
      /^ORG_ID holds "a+", .*at most \d+ characters/,
    ],
    ['an organization without a database', 'nobody', /^The organization "nobody" has no database/],
  ];
  for (const [what, value, message] of refused) {
    it(`refuses an ORG_ID that is ${what} in one line and does nothing`, async () => {
      const before = await deployment.databases();
      const { status, stderr } = await knex('migrate:latest --env results', { ORG_ID: value });
      expect(status).to.equal(1);
      expect(stderr)
        .to.match(message)
        .and.match(/^[^\n]*\n$/);
      expect(await deployment.databases()).to.deep.equal(before);
    });
  }

  it('refuses to guess which databases are meant', async () => {
    for (const args of ['migrate:latest', 'migrate:rollback --env result', 'migrate:make guess']) {
      const { status, stderr } = await knex(args);
      expect(status).to.equal(1);
      expect(stderr).to.equal('Say which databases: --env metadata or --env results.\n');
    }
  });

  it('names the place of a server that cannot be reached, never the password', async () => {
    const { status, stdout, stderr } = await knex('migrate:latest --env metadata', {
      DB_DATABASE_URL: 'postgresql://mad:canary-password@127.0.0.1:1/mad',
    });
    expect(status).to.equal(1);
    expect(stderr).to.match(/^connect ECONNREFUSED 127\.0\.0\.1:1\n$/);
    expect(stdout + stderr).not.to.include('canary-password');
  });

  describe('in a checkout of its own', () => {
    let checkout: string;
    /** Somebody's shell, set up for `psql` and another server. */
    const MISLEADING = {
      PGHOST: 'nowhere.invalid',
      PGPASSWORD: 'x',
      PGSSLMODE: 'require',
      PGOPTIONS: '-c search_path=x',
    };
    const run = (args: string): Promise<Outcome> =>
      knex(args, { DB_DATABASE_URL: '', ...MISLEADING }, checkout);

    before(async () => {
      checkout = await createTestDirectory();
      for (const name of CHECKOUT) await cp(join(PROJECT, name), join(checkout, name), { recursive: true });
      await symlink(join(PROJECT, 'node_modules'), join(checkout, 'node_modules'));
    });
    after(() => rm(checkout, { recursive: true }));

    it('makes a new migration in our form, which the service would take up, without a database', async () => {
      for (const kind of ['metadata', 'results']) {
        const folder = join(checkout, 'migrations', kind);
        const { status, stdout } = await run(`migrate:make of_a_test --env ${kind}`);
        expect(status).to.equal(0);
        const file = /Numbered: (.*)\n/.exec(stdout)?.[1] ?? '';
        expect(dirname(file)).to.equal(folder);
        const taken = await new MigrationSource(pathToFileURL(`${folder}/`)).getMigrations();
        const [before, newest] = taken.slice(-2);
        expect(newest)
          .to.equal(basename(file))
          .and.match(/^\d{4}_of_a_test\.ts$/);
        expect(Number(newest?.slice(0, 4))).to.equal(Number(before?.slice(0, 4)) + 1);
        expect(await import(file)).to.have.keys('up', 'down');
        await rm(file);
      }
      expect(existsSync(join(checkout, '.data'))).to.equal(false);
    });

    it('refuses a wrong ORG_ID before a server is started for it', async () => {
      const { status } = await knex(
        'migrate:latest --env results',
        { DB_DATABASE_URL: '', ORG_ID: 'A' },
        checkout,
      );
      expect(status).to.equal(1);
      expect(existsSync(join(checkout, '.data'))).to.equal(false);
    });

    it('starts the embedded server where none runs, and uses the one that does, whatever variables say of others', async () => {
      const first = await run('migrate:latest --env metadata');
      expect(first.stderr + first.stdout).to.include('Batch 1 run');

      // Waits until the server of the command is gone.
      const dataDirectory = join(checkout, '.data', 'postgres');
      const server = await startEmbeddedPostgres({ dataDirectory });
      try {
        const second = await run('migrate:status --env metadata');
        expect(second.stderr + second.stdout).to.include('No Pending Migration files Found');
      } finally {
        await server.stop();
      }
    });
  });

  it('finds the embedded server that a service runs, and none when there is none', async () => {
    const dataDirectory = await createTestDirectory();
    expect(await findEmbeddedPostgres(dataDirectory)).to.equal(undefined);
    const server = await startEmbeddedPostgres({ dataDirectory, durable: false });
    try {
      expect(await findEmbeddedPostgres(dataDirectory)).to.equal(server.url);
    } finally {
      await server.stop();
    }
    expect(await findEmbeddedPostgres(dataDirectory)).to.equal(undefined);
    await rm(dataDirectory, { recursive: true });
  });
});

const migrationNames = async (source: MigrationSource): Promise<readonly string[]> =>
  (await source.getMigrations()).map((file) => source.getMigrationName(file));
