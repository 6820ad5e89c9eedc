import { rm } from 'node:fs/promises';
import { expect } from 'chai';
import { runCommandOn } from '../support/command-line.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Job, Page } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { needsPostgresTools, ToolServer } from '../support/postgres-tools.ts';

const JOB = { engine: 'vina', inputs: { ligand: 'CCO' } };

describe('Backups with PostgreSQL’s own tools, restored as docs/backup-and-restore.md says', function () {
  this.timeout(120_000);
  const servers: ToolServer[] = [];
  let server: ToolServer;
  let deployment: Deployment;
  const services: HttpService[] = [];

  before(function () {
    needsPostgresTools(this);
  });
  beforeEach(async () => {
    server = await ToolServer.start();
    servers.push(server);
    await server.addLogin();
    deployment = await createDeployment(
      { DB_ORG_ROLES: 'true', DB_ROLE_SECRET: 'a secret for roles that is long enough' },
      { url: server.url },
    );
    await deployment.register('acme', 'beta');
  });
  afterEach(async () => {
    try {
      await closeServices();
    } finally {
      for (const one of servers.splice(0)) await one.remove();
      await rm(deployment.filesFolder, { recursive: true, force: true });
    }
  });

  const open = async (settings: Readonly<Record<string, string>> = {}): Promise<HttpService> => {
    const service = await HttpService.running(deployment.start(settings), ['acme', 'beta']);
    services.push(service);
    return service;
  };
  const closeServices = async (): Promise<void> => {
    for (const service of services.splice(0)) await service.close();
    await deployment.stop();
  };
  const submit = async (service: HttpService, id: string): Promise<string> => {
    const { status, body, text } = await service.as(deployment.token(id, ['member'])).post<Job>('/jobs', JOB);
    expect(status, text).to.equal(201);
    return body.job_id;
  };
  const jobs = async (service: HttpService, id: string): Promise<readonly string[]> => {
    const { status, body, text } = await service.as(deployment.token(id, ['member'])).get<Page<Job>>('/jobs');
    expect(status, text).to.equal(200);
    return body.items.map(({ job_id }) => job_id).toSorted();
  };
  const mad = async ({ container }: HttpService, ...argv: readonly string[]): Promise<readonly string[]> => {
    const { exitCode, lines, stderr } = await runCommandOn(container, argv);
    expect(exitCode, lines.join() + stderr).to.equal(0);
    return lines;
  };
  const expectAgreement = async (service: HttpService): Promise<void> => {
    expect(await mad(service, 'databases', 'reconcile')).to.deep.equal(['Server and ledger agree.']);
  };

  /** One value, as the server's administrator. */
  const ask = async (sql: string): Promise<string> =>
    (await server.run('psql', ['-d', 'postgres', '-Atc', sql])).trim();

  it('an organization’s database that was dumped comes back by pg_restore and adopt, with the jobs of that moment', async () => {
    const service = await open();
    const before = await submit(service, 'acme');
    const member = service.as(deployment.token('acme', ['member']));
    const file = await member.post<{ sha256: string }>('/files', Buffer.from('a ligand'), {
      'content-type': 'text/plain',
    });
    expect(file.status, file.text).to.equal(201);
    const dump = server.path('acme.dump');
    await server.run('pg_dump', ['-Fc', '-f', dump, deployment.databaseName('acme')], 'app');
    await submit(service, 'acme');

    await server.run('createdb', ['-T', 'template0', '-E', 'UTF8', 'restored'], 'app');
    await server.run(
      'pg_restore',
      ['--exit-on-error', '--no-owner', '--no-acl', '-d', 'restored', dump],
      'app',
    );
    await mad(service, 'databases', 'retire', 'acme');
    await mad(service, 'databases', 'adopt', 'acme', '--from', 'restored');
    expect(await jobs(service, 'acme')).to.deep.equal([before]);
    expect((await member.get(`/files/${file.body.sha256}`)).text).to.equal('a ligand');
    await submit(service, 'acme');
    await expectAgreement(service);
  });

  it('a server that is lost comes back from a base backup and its archive, up to a moment between two writes', async () => {
    const service = await open();
    const first = await submit(service, 'acme');
    await server.run('pg_basebackup', ['-D', server.path('base'), '-X', 'none', '--checkpoint=fast']);
    const second = await submit(service, 'acme');
    const other = await submit(service, 'beta');
    await ask(`select pg_create_restore_point('before the accident')`);
    await submit(service, 'acme');
    const ended = await ask('select pg_walfile_name(pg_switch_wal())');
    await until('all is archived', () => server.hasArchived(ended));
    await closeServices();
    await server.stop('immediate');

    await server.restoreTo(server.path('base'), 'before the accident');
    const restored = await open();
    expect(await jobs(restored, 'acme')).to.deep.equal([first, second].toSorted());
    expect(await jobs(restored, 'beta')).to.deep.equal([other]);
    await submit(restored, 'acme');
    await expectAgreement(restored);
  });

  it('the metadata database of before an organization was made: its database is an orphan until it is adopted', async () => {
    const service = await open();
    await submit(service, 'acme');
    const dump = server.path('metadata.dump');
    await server.run('pg_dump', ['-Fc', '-f', dump, deployment.metadataDatabase], 'app');
    await deployment.register('late', 'later');
    const [late, later] = [await submit(service, 'late'), await submit(service, 'later')];
    await closeServices();

    await server.run('dropdb', ['--force', deployment.metadataDatabase]);
    await server.run('pg_restore', ['--exit-on-error', '--create', '-d', 'postgres', dump]);
    const restored = await open();
    expect(await jobs(restored, 'acme')).to.have.length(1);
    const look = await runCommandOn(restored.container, ['databases', 'reconcile', '--dry-run']);
    expect([look.exitCode, ...look.lines.slice(0, 2)]).to.deep.equal([
      3,
      `orphan       would be quarantined  ${deployment.databaseName('late')}`,
      `orphan       would be quarantined  ${deployment.databaseName('later')}`,
    ]);
    await deployment.register('late');
    await mad(restored, 'databases', 'adopt', 'late');
    expect(await jobs(restored, 'late')).to.deep.equal([late]);

    // Somebody was too quick with the other one.
    await mad(restored, 'databases', 'reconcile');
    const [aside = ''] = (await deployment.databases()).filter((name) => name.startsWith('orphan.'));
    await deployment.register('later');
    await mad(restored, 'databases', 'adopt', 'later', '--from', aside);
    expect(await jobs(restored, 'later')).to.deep.equal([later]);
    await expectAgreement(restored);
  });

  it('a metadata database that nobody backed up is made anew, and takes over the databases that are there', async () => {
    const made = await submit(await open(), 'acme');
    await closeServices();
    await server.run('dropdb', ['--force', deployment.metadataDatabase]);

    const service = await open();
    await deployment.register('acme');
    const refused = await runCommandOn(service.container, ['databases', 'adopt', 'acme']);
    expect([refused.exitCode, refused.stderr]).to.satisfy(
      ([code, text]: [number, string]) => code === 1 && /another deployment/.test(text),
    );
    await mad(service, 'databases', 'adopt', 'acme', '--take-over');
    expect(await jobs(service, 'acme')).to.deep.equal([made]);
    await submit(service, 'acme');
  });

  it('all databases, dumped and restored on another server with their roles, are served there', async () => {
    const service = await open();
    const acme = await submit(service, 'acme');
    const beta = await submit(service, 'beta');
    await closeServices();
    const names = [deployment.metadataDatabase, ...['acme', 'beta'].map(deployment.databaseName)];
    for (const name of names) await server.run('pg_dump', ['-Fc', '-f', server.path(name), name]);
    await server.run('pg_dumpall', ['--globals-only', '-f', server.path('globals.sql')]);

    const other = await ToolServer.start();
    servers.push(other);
    await other.run('psql', ['-q', '-d', 'postgres', '-f', server.path('globals.sql')]);
    for (const name of names)
      await other.run('pg_restore', ['--exit-on-error', '--create', '-d', 'postgres', server.path(name)]);
    const there = (url = '') => url.replace(new URL(server.url).host, new URL(other.url).host);
    const moved = await open({
      DB_DATABASE_URL: there(deployment.environment['DB_DATABASE_URL']),
      DB_RESULTS_DB_TEMPLATE: there(deployment.environment['DB_RESULTS_DB_TEMPLATE']),
    });
    expect(await jobs(moved, 'acme')).to.deep.equal([acme]);
    expect(await jobs(moved, 'beta')).to.deep.equal([beta]);
    await submit(moved, 'acme');
    await expectAgreement(moved);
  });
});
