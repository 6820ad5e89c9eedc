import { expect } from 'chai';
import { parseServerId } from '../../domain/databases/server.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { decorate } from '../support/decorate.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { HttpService } from '../support/http-service.ts';
import { SecondServer } from '../support/second-server.ts';

const ROLES = { DB_ORG_ROLES: 'true', DB_ROLE_SECRET: 'the secret that roles had so far, long enough' };
const ROTATED = {
  DB_ORG_ROLES: 'true',
  DB_ROLE_SECRET: 'the secret that roles are to have from now on',
  DB_ROLE_SECRET_OTHER: ROLES.DB_ROLE_SECRET,
};

describe('what is per server, on two servers', function () {
  this.timeout(120_000);
  let eu: SecondServer;
  let deployment: Deployment;

  before(async () => {
    eu = await SecondServer.start();
  });
  after(() => eu?.remove());
  beforeEach(async () => {
    deployment = await createDeployment(ROLES, { servers: { eu: eu.url } });
    await deployment.register('home', 'away');
    await deployment.metadata(`insert into results_servers (server_id) values ('eu')`);
    await deployment.metadata(
      `update organizations set pinned_server_id = case org_id when 'home' then 'default' else 'eu' end`,
    );
    const manager = deployment.start().get(TOKENS.connectionManager);
    for (const id of ['home', 'away']) await manager.provision(organizationId(id));
  });
  afterEach(async () => {
    await eu.recover();
    await deployment.dispose();
  });

  const spares = async (): Promise<Readonly<Record<string, number>>> => {
    const rows = await deployment.metadata<{ server_id: string; count: number }>(
      `select server_id, count(*)::int as count from spare_databases where state = 'ready' group by 1 order by 1`,
    );
    return Object.fromEntries(rows.map((row) => [row.server_id, row.count]));
  };

  it('keeps a template and spares on each, and counts them by server', async () => {
    const container = deployment.start({ DB_SPARES_MIN: '2', DB_SPARES_MAX: '2' });
    const service = await HttpService.running(container);
    try {
      await until(
        'spares stand ready on both',
        async () => {
          const { default: home, eu: away } = await spares();
          return home === 2 && away === 2;
        },
        30_000,
      );
      const templates = await deployment.metadata<{ server_id: string; template_hash: string }>(
        'select server_id, template_hash from results_templates order by 1',
      );
      expect(templates.map((row) => row.server_id)).to.deep.equal(['default', 'eu']);
      expect(new Set(templates.map((row) => row.template_hash)).size).to.equal(2);
      await container.get(TOKENS.fleetSnapshot).close();
      container.get(TOKENS.fleetSnapshot).start();
      const lines = [
        'mad_results_databases{server="default",state="ready"} 1',
        'mad_results_databases{server="eu",state="ready"} 1',
        'mad_results_databases{server="eu",state="failed"} 0',
        'mad_spare_databases_ready{server="default"} 2',
        'mad_spare_databases_ready{server="eu"} 2',
        'mad_server_circuit_open{server="eu"} 0',
      ];
      let text = '';
      await until(
        () =>
          `the metrics say it: ${text
            .split('\n')
            .filter((line) => line.includes('server='))
            .join('\n')}`,
        async () => {
          ({ text } = await service.call('GET', '/metrics'));
          return lines.every((line) => text.includes(line));
        },
      );
      // The names of servers are the only ones: a closed set.
      const names = [...text.matchAll(/server="([^"]*)"/g)].map(([, name]) => name);
      expect(new Set(names)).to.deep.equal(new Set(['default', 'eu', 'metadata']));
      expect(text).to.match(/mad_results_connection_share\{server="eu"\} \d+/);
    } finally {
      await service.close();
    }
  });

  it('rotates the credentials on the servers that are there, and tells which could not be', async () => {
    await eu.kill();
    const container = deployment.start(ROTATED);
    const from = performance.now();
    const report = await container.get(TOKENS.rotateCredentials)();
    expect(performance.now() - from).to.be.below(20_000);
    expect(report.rotated).to.equal(1);
    expect(report.failures.map(({ database }) => database)).to.deep.equal([deployment.databaseName('away')]);

    await eu.recover();
    const again = await deployment.start(ROTATED).get(TOKENS.rotateCredentials)();
    expect([again.rotated, again.failures]).to.deep.equal([2, []]);
    const { DB_ROLE_SECRET_OTHER: _, ...final } = ROTATED;
    const manager = deployment.start(final).get(TOKENS.connectionManager);
    for (const id of ['home', 'away']) (await manager.acquire(organizationId(id))).release();
  });

  describe('while a request gives the organization a database on the other server', () => {
    const acme = organizationId('acme');
    const pinTo = (server: string): Promise<unknown> =>
      deployment.metadata('update organizations set pinned_server_id = $1 where org_id = $2', server, acme);
    const recorded = () =>
      deployment.metadata<object>(
        'select server_id, state, generation from organization_databases where org_id = $1',
        acme,
      );
    /** A request of another process. */
    const request = async (): Promise<void> => {
      (await deployment.start().get(TOKENS.connectionManager).acquire(acme)).release();
    };

    beforeEach(async () => {
      await deployment.register(acme);
    });

    it('an adoption is refused, and the organization keeps what the request gave it', async () => {
      await pinTo('default');
      const operator = deployment.start();
      const { admin } = operator.get(TOKENS.servers).of(parseServerId('eu'));
      await admin.exclusively('theirs', (session) => session.createEmpty('theirs'));
      decorate(operator, TOKENS.databaseLedger, (ledger) => ({
        recordAdoption: async (...adoption) => {
          await request();
          return ledger.recordAdoption(...adoption);
        },
      }));
      const adoption = operator.get(TOKENS.adoptDatabase)(acme, {
        serverId: parseServerId('eu'),
        from: 'theirs',
      });
      expect(await rejectionOf(adoption))
        .to.have.property('message')
        .that.includes('on the server "default"');
      expect(await recorded()).to.deep.equal([{ server_id: 'default', state: 'ready', generation: 1 }]);
    });

    it('a retirement that looked before is given up', async () => {
      await pinTo('default');
      await request();
      await deployment.start().get(TOKENS.retireDatabase)(acme);
      await pinTo('eu');
      const operator = deployment.start();
      decorate(operator, TOKENS.databaseLedger, (ledger) => ({
        beginRetirement: async (database) => {
          await request();
          return ledger.beginRetirement(database);
        },
      }));
      const retirement = operator.get(TOKENS.retireDatabase)(acme);
      expect(await rejectionOf(retirement)).to.have.property('code', 'organization_not_ready');
      expect(await recorded()).to.deep.equal([{ server_id: 'eu', state: 'ready', generation: 2 }]);
    });
  });
});
