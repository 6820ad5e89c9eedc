import { expect } from 'chai';
import { changeServer } from '../../../application/servers/change-server.ts';
import type { ServerFinding } from '../../../application/servers/judge-inspection.ts';
import { listServers } from '../../../application/servers/list-servers.ts';
import { ServerNotFoundError } from '../../../domain/databases/errors.ts';
import { parseServerId } from '../../../domain/databases/server.ts';
import { runCommand, type Outcome } from '../../support/fakes/fake-cli.ts';
import { FakeMetadata } from '../../support/fakes/fake-metadata.ts';
import { organization } from '../../support/fakes/fake-service.ts';
import { FakeServers, fakeServer } from '../../support/fakes/fake-servers.ts';

const EU = parseServerId('eu');

describe('the commands on servers', () => {
  let metadata: FakeMetadata;
  let fakes: FakeServers;
  let findings: readonly ServerFinding[];

  beforeEach(async () => {
    metadata = new FakeMetadata();
    fakes = new FakeServers();
    await metadata.serverLedger.register([EU]);
    metadata.addDatabase(organization('acme'));
  });

  const servers = (...argv: readonly string[]): Promise<Outcome> => {
    const ports = { servers: fakes, metadata };
    return runCommand(['servers', ...argv], {
      listServers: listServers(ports),
      changeServer: changeServer(ports),
      checkServer: async (serverId) => {
        if (serverId !== EU) throw new ServerNotFoundError();
        return findings;
      },
    });
  };

  it('list what is recorded, and which server this environment does not name', async () => {
    await servers('set', 'default', '--max-databases', '7', '--label', 'region=eu', '--label', 'tier=1');
    expect(await servers('list')).to.deep.equal({
      exitCode: 0,
      lines: [
        'default      active   weight 100, 1 of 7 databases, region=eu, tier=1',
        'eu           active   weight 100, 0 databases, not configured here',
        '2 servers.',
      ],
    });
    const document = JSON.parse((await servers('list', '--json')).lines.join('\n'));
    expect(document.servers[0]).to.deep.equal({
      server_id: 'default',
      status: 'active',
      weight: 100,
      max_databases: 7,
      databases: 1,
      labels: { region: 'eu', tier: '1' },
      configured: true,
    });
  });

  it('change the status, audited as nobody’s: an operator at the command line', async () => {
    for (const [verb, status] of [
      ['drain', 'draining'],
      ['disable', 'disabled'],
      ['activate', 'active'],
    ] as const) {
      const { exitCode, lines } = await servers(verb, 'eu');
      expect([exitCode, lines.join()]).to.deep.equal([
        0,
        `eu           ${status.padEnd(8)} weight 100, 0 databases, not configured here`,
      ]);
      expect(metadata.trail.at(-1)).to.deep.include({ action: 'server.changed', userId: null });
    }
    const { lines } = await servers('drain', 'eu', '--json');
    expect(JSON.parse(lines.join('\n'))).to.include({ server_id: 'eu', status: 'draining' });
    const help = (await servers('drain', '--help')).lines.join(' ').replaceAll(/\s+/g, ' ');
    expect(help).to.include('moving them away comes later');
  });

  it('set a weight, a limit and labels, each alone, and take them away with "none"', async () => {
    await servers('set', 'eu', '--weight', '50', '--max-databases', '0', '--label', 'region=eu');
    expect(await metadata.serverLedger.find(EU)).to.deep.include({ weight: 50, maxDatabases: 0 });
    await servers('set', 'eu', '--label', 'tier=a=b');
    expect((await metadata.serverLedger.find(EU))?.labels, 'refused').to.deep.equal({ region: 'eu' });
    await servers('set', 'eu', '--label', 'tier=1');
    expect((await metadata.serverLedger.find(EU))?.labels).to.deep.equal({ tier: '1' });
    await servers('set', 'eu', '--max-databases', 'none', '--label', 'none');
    expect(await metadata.serverLedger.find(EU)).to.deep.include({
      weight: 50,
      maxDatabases: null,
      labels: {},
    });
  });

  it('refuse what cannot be kept, and change nothing', async () => {
    for (const [code, ...options] of [
      [2, '--weight', '0'],
      [2, '--weight', 'heavy'],
      [2, '--max-databases', '-1'],
      [2, '--max-databases', '2147483648'],
      [2, '--label', 'region'],
      [2, '--label', 'Region=eu'],
      [2, '--label', 'region='],
      [2],
    ] as const) {
      expect((await servers('set', 'eu', ...options)).exitCode, options.join(' ')).to.equal(code);
    }
    for (const [code, name] of [
      [2, 'EU'],
      [2, 'metadata'],
      [1, 'nowhere'],
    ] as const) {
      const { exitCode, lines } = await servers('set', name, '--weight', '1');
      expect(exitCode, lines.join()).to.equal(code);
    }
    expect(metadata.trail).to.be.empty;
  });

  it('limit a server of the configuration before the service is started with it', async () => {
    const us = parseServerId('us');
    fakes.configured.push(fakeServer(us));
    expect((await servers('disable', 'us')).exitCode).to.equal(0);
    expect(await metadata.serverLedger.find(us)).to.include({ status: 'disabled' });
  });

  it('check a server: with the SQL to paste, and exit code 3 when something is missing', async () => {
    findings = [
      { check: 'login', level: 'ok', message: 'reached', sql: [] },
      { check: 'wal_level', level: 'hint', message: 'replica', sql: [`alter system set x = 'y';`] },
    ];
    expect(await servers('check', 'eu')).to.deep.equal({
      exitCode: 0,
      lines: [
        'ok       login        reached',
        'hint     wal_level    replica',
        `           alter system set x = 'y';`,
        'Server eu: nothing is missing, 1 hint.',
      ],
    });
    findings = [
      { check: 'createdb', level: 'missing', message: 'may not', sql: ['alter role mad createdb;'] },
    ];
    const { exitCode, lines } = await servers('check', 'eu');
    expect([exitCode, lines.at(-1)]).to.deep.equal([3, 'Server eu: 1 missing, 0 hints.']);
    const asJson = await servers('check', 'eu', '--json');
    expect(asJson.exitCode).to.equal(3);
    expect(JSON.parse(asJson.lines.join('\n'))).to.deep.equal({ server_id: 'eu', findings });
    expect((await servers('check', 'us')).exitCode).to.equal(1);
  });
});
