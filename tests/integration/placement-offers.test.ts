import { expect } from 'chai';
import type { Container } from 'inversify';
import { parseServerId } from '../../domain/databases/server.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';
import { hookProvisioning } from '../support/provisioning-steps.ts';
import { SecondServer } from '../support/second-server.ts';
import { defaultServer } from '../support/servers.ts';

const ACME = organizationId('acme');
const EU = parseServerId('eu');

describe('the offer of a server whose template nobody has asked for yet', function () {
  this.timeout(60_000);
  let second: SecondServer;
  let deployment: Deployment;
  let settings: Readonly<Record<string, string>>;

  before(async () => {
    second = await SecondServer.start();
  });
  after(() => second.remove());
  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme');
    const url = DatabaseUrl.parse(second.url).withDatabase(deployment.databaseName('{org_id}'));
    settings = { DB_RESULTS_DB_TEMPLATE_EU: url.toString() };
  });
  afterEach(() => deployment.dispose());

  /** A process that knows the template of the default server alone. */
  const startOne = async (prepare: (container: Container) => void = () => undefined): Promise<Container> => {
    const container = deployment.start(settings);
    prepare(container);
    await container.get(TOKENS.useCases).registerServers();
    await defaultServer(container).template.ready();
    return container;
  };
  const metadata = (sql: string): Promise<unknown> =>
    deployment.administer(sql, [], deployment.metadataDatabase);
  const serverOfAcme = async (container: Container): Promise<unknown> =>
    (await container.get(TOKENS.databaseLedger).find(ACME))?.serverId;

  it('is waited for by an organization that is pinned there', async () => {
    const container = await startOne();
    await metadata(`update organizations set pinned_server_id = 'eu' where org_id = 'acme'`);
    (await container.get(TOKENS.connectionManager).acquire(ACME)).release();
    expect(await serverOfAcme(container)).to.equal(EU);
  });

  it('is waited for by an organization whose database was begun there', async () => {
    const broken = await startOne((container) =>
      hookProvisioning(container, (step, proceed) => {
        if (step === 'adopt') throw new Error('out of luck');
        return proceed();
      }),
    );
    await broken.get(TOKENS.servers).of(EU).template.ready();
    await metadata(`update results_servers set status = 'draining' where server_id = 'default'`);
    await rejectionOf(broken.get(TOKENS.connectionManager).acquire(ACME));
    await metadata(`update results_servers set status = 'active'`);
    const container = await startOne();
    (await container.get(TOKENS.connectionManager).acquire(ACME)).release();
    expect(await serverOfAcme(container)).to.equal(EU);
  });
});
