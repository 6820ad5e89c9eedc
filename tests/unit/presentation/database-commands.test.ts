import { expect } from 'chai';
import { listServers } from '../../../application/servers/list-servers.ts';
import type {
  AdoptedDatabase,
  Finding,
  ReconcileReport,
} from '../../../application/ports/databases/database-upkeep.ts';
import { DEFAULT_SERVER, parseServerId } from '../../../domain/databases/server.ts';
import type { CliDependencies } from '../../../presentation/cli/run-cli.ts';
import { runCommand, type Outcome } from '../../support/fakes/fake-cli.ts';
import { FakeMetadata } from '../../support/fakes/fake-metadata.ts';
import { FakeServers } from '../../support/fakes/fake-servers.ts';
import { organization } from '../../support/fakes/fake-service.ts';

const databases = (argv: readonly string[], deps: Partial<CliDependencies>): Promise<Outcome> =>
  runCommand(['databases', ...argv], deps);

describe('the command databases list', () => {
  let metadata: FakeMetadata;

  beforeEach(() => {
    metadata = new FakeMetadata();
    metadata.addDatabase(organization('beta'), {
      state: 'failed',
      schemaVersion: null,
      lastError: 'disk full',
    });
    metadata.addDatabase(organization('acme'));
  });

  const list = (...argv: readonly string[]): Promise<Outcome> =>
    databases(['list', ...argv], {
      databaseLedger: metadata.ledger,
      listServers: listServers({ metadata, servers: new FakeServers() }),
    });

  it('says of each database where it stands, and what went wrong last', async () => {
    expect(await list()).to.deep.equal({
      exitCode: 0,
      lines: [
        'ready        version 1     acme (mad_results_acme)',
        'failed       no schema yet beta (mad_results_beta): disk full',
        '2 databases.',
      ],
    });
  });

  it('lists those of one state, and refuses a state that there is not', async () => {
    expect((await list('--state', 'failed')).lines.join()).to.match(/^failed .* beta .*,1 database\.$/);
    expect((await list('--state', 'retiring')).lines).to.deep.equal(['0 databases.']);
    const { exitCode, lines } = await list('--state', 'broken');
    expect(exitCode).to.equal(2);
    expect(lines.join()).to.include('provisioning, ready, failed, retiring');
  });

  it('lists those on one server, and names any but the default one', async () => {
    await metadata.serverLedger.register([parseServerId('eu')]);
    metadata.addDatabase(organization('gamma'), { serverId: parseServerId('eu') });
    expect((await list('--server', 'eu')).lines).to.deep.equal([
      'ready        version 1     gamma (mad_results_gamma on eu)',
      '1 database.',
    ]);
    expect((await list('--server', 'default')).lines.at(-1)).to.equal('2 databases.');
    expect((await list('--server', 'EU')).exitCode).to.equal(2);
    expect(await list('--server', 'typo')).to.deep.equal({
      exitCode: 1,
      lines: ['There is no such server.'],
    });
  });

  it('gives the whole ledger to machines, however many pages it has', async () => {
    for (let index = 0; index < 1100; index += 1) metadata.addDatabase(organization(`org-${index}`));
    const document = JSON.parse((await list('--json')).lines.join('\n'));
    expect(document.databases).to.have.length(1102);
    expect(document.databases[1]).to.deep.equal({
      org_id: 'beta',
      server_id: 'default',
      database: 'mad_results_beta',
      state: 'failed',
      schema_version: null,
      last_error: 'disk full',
    });
  });
});

describe('the command databases adopt', () => {
  it('says where the database is, what it is called, and whether it is taken over', async () => {
    const asked: unknown[] = [];
    const adopt: CliDependencies['adopt'] = async (organizationId, options) => {
      asked.push([organizationId, options]);
      return { databaseName: 'mad_results_acme', formerly: 'nobody' };
    };
    const { exitCode, lines } = await databases(['adopt', 'acme'], { adopt });
    await databases(['adopt', 'acme', '--from', 'old', '--server', 'eu', '--take-over'], { adopt });
    expect([exitCode, lines.join()]).to.deep.equal([
      0,
      'mad_results_acme is the database of acme now; it did not say whose it was.',
    ]);
    expect(asked).to.deep.equal([
      ['acme', { takeOver: false, serverId: undefined }],
      ['acme', { from: 'old', takeOver: true, serverId: 'eu' }],
    ]);
  });
});

describe('the command databases adopt, of a database that says whose it is', () => {
  const said = async (
    formerly: AdoptedDatabase['formerly'],
    ...options: readonly string[]
  ): Promise<string> => {
    const adopt: CliDependencies['adopt'] = async () => ({ databaseName: 'mad_results_acme', formerly });
    return (await databases(['adopt', 'acme', ...options], { adopt })).lines.join();
  };

  it('does not call it taken from itself', async () => {
    expect(await said('its own')).to.equal(
      'mad_results_acme is the database of acme already; its schema is up to date, and it has a new stamp.',
    );
  });

  it('tells where it came from', async () => {
    expect(await said('its own', '--from', 'retired.1')).to.match(
      / again; it was put aside as retired\.1\.$/,
    );
    expect(await said('another deployment')).to.match(/ now; it was that of acme in another deployment\.$/);
  });
});

describe('the command databases reconcile', () => {
  const run = async (
    argv: readonly string[],
    findings: readonly Finding[],
    unreachable: ReconcileReport['unreachable'] = [],
  ): Promise<Outcome & { asked: object | null }> => {
    let asked: object | null = null;
    const outcome = await databases(['reconcile', ...argv], {
      reconcile: async (options) => {
        asked = options;
        return { findings, unreachable };
      },
    });
    return { ...outcome, asked };
  };
  const DROPPED: Finding = {
    kind: 'stale-spare',
    serverId: DEFAULT_SERVER,
    database: 'spare.x',
    organizationId: null,
    action: 'dropped',
  };
  const REPORTED: Finding = {
    kind: 'foreign',
    serverId: DEFAULT_SERVER,
    database: 'theirs',
    organizationId: null,
    action: 'reported',
  };

  it('says what it did, and leaves with 3 when something is left to do', async () => {
    const { exitCode, lines } = await run([], [DROPPED, REPORTED]);
    expect(lines.map((line) => line.split(/ {2,}| (?=spare)/).map((part) => part.trim()))).to.deep.equal([
      ['stale-spare', 'dropped', 'spare.x'],
      ['foreign', 'reported', 'theirs'],
    ]);
    expect(exitCode).to.equal(3);
    expect((await run([], [DROPPED])).exitCode).to.equal(0);
  });

  it('says in a dry run what it would do, that nothing was changed, and that all of it is left', async () => {
    const { exitCode, lines, asked } = await run(['--dry-run'], [DROPPED, REPORTED]);
    expect(asked).to.include({ dryRun: true });
    expect(lines).to.have.length(3);
    expect(lines[0]).to.match(/^stale-spare +would be dropped +spare\.x$/);
    expect(lines[1]).to.match(/^foreign +reported +theirs$/);
    expect(lines[2]).to.match(/nothing was changed/);
    expect(exitCode).to.equal(3);
    expect((await run(['--dry-run'], [DROPPED])).exitCode).to.equal(3);
    expect((await run(['--dry-run'], [])).exitCode).to.equal(0);
  });

  it('tells a dry run in its JSON', async () => {
    for (const [argv, dryRun] of [
      [['--json'], false],
      [['--json', '--dry-run'], true],
    ] as const) {
      const { lines } = await run(argv, [DROPPED]);
      expect(JSON.parse(lines.join('\n'))).to.deep.equal({
        dry_run: dryRun,
        findings: [
          {
            kind: 'stale-spare',
            server_id: 'default',
            database: 'spare.x',
            org_id: null,
            action: 'dropped',
          },
        ],
        unreachable: [],
      });
    }
  });

  it('names the servers that it could not look at, and leaves with 3', async () => {
    const away = [{ serverId: DEFAULT_SERVER, reason: 'no answer' }];
    const { exitCode, lines } = await run([], [], away);
    expect(lines).to.deep.equal(['not looked at: server default (no answer)']);
    expect(exitCode).to.equal(3);
    const document = JSON.parse((await run(['--json'], [], away)).lines.join('\n'));
    expect(document.unreachable).to.deep.equal([{ server_id: 'default', reason: 'no answer' }]);
  });
});
